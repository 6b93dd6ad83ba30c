import numpy as np
import pytest
from numpy.typing import NDArray

from app.drawing.marks import STROKES, with_marks
from app.request.line import MARKS
from tests.mnist import read_mnist

Levels = NDArray[np.uint8]
DIGITS = read_mnist(train=False)[0][:6]


def leaning(slant: float, weight: float = 3) -> Levels:
    """A line of one digit: a stroke, so many columns to the right for each row up."""
    rows, columns = np.mgrid[:28, :28]
    distance = np.abs(columns - 13.5 - slant * (13.5 - rows)) / np.hypot(1, slant)
    ink = np.clip(weight / 2 - distance + 0.5, 0, 1) * ((rows >= 4) & (rows < 24))
    line: Levels = np.rint(255 * ink).astype(np.uint8)[None, None]
    return line


def mark(sign: str, line: Levels) -> NDArray[np.float64]:
    """The ink of a mark behind a line of one digit."""
    ink: NDArray[np.float64] = with_marks(line, f"1{sign}")[0, 1] / 255
    return ink


def test_strokes_are_those_of_all_marks() -> None:
    assert set(STROKES) == set(MARKS)


def test_with_marks_keeps_the_digits_and_their_order() -> None:
    digits = np.stack([DIGITS[:3], DIGITS[3:6]])
    drawn = with_marks(digits, "-1.23 ")
    assert drawn.shape == (2, 6, 28, 28)
    assert np.array_equal(drawn[:, [1, 3, 4]], digits)
    assert drawn[:, [0, 2]].any(axis=(2, 3)).all()
    assert not drawn[:, 5].any()


@pytest.mark.parametrize(
    ("sign", "rows", "columns"),  # where the middle of its ink lies
    [(".", (21, 24), (12, 15)), (",", (22, 26), (12, 15)), ("-", (13, 16), (12, 15))],
)
def test_mark_stands_where_it_is_written(
    sign: str, rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    ink = mark(sign, leaning(0))
    row, column = (np.arange(28) @ ink.sum(axis=axis) / ink.sum() for axis in (1, 0))
    assert rows[0] < row < rows[1]
    assert columns[0] < column < columns[1]


def test_mark_leans_with_its_line() -> None:
    upright, right = mark(":", leaning(0)), mark(":", leaning(0.4))
    for ink, expected in ((upright, 0), (right, 0.4 * 9)):
        top, bottom = (
            np.arange(28) @ part.sum(axis=0) / part.sum() for part in (ink[:15], ink[15:])
        )
        assert top - bottom == pytest.approx(expected, abs=0.6)


def test_mark_has_the_weight_of_its_line() -> None:
    for weight in (1.5, 2.5, 3.5):
        ink = mark("-", leaning(0, weight))
        ends = 1 + weight / 20  # those of the stroke count as edge
        assert ink[:, 14].sum() == pytest.approx(weight / ends, abs=0.5)


@pytest.mark.parametrize("sign", MARKS)
def test_mark_fits_into_a_picture_of_any_line(sign: str) -> None:
    for slant in (-1, 1):
        ink = mark(sign, leaning(slant, 6))
        assert ink.shape == (28, 28)
        assert ink.any() == (sign != " ")
