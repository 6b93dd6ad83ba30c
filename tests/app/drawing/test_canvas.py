import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from app.drawing.canvas import BASELINE, INK_LEVEL, Levels, enlarge, ink_boxes, stitch
from app.request.schemas import BEARING

FEET = round(28 * BASELINE)
SHAPES = st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 5), st.integers(6, 9))
BOXES = st.builds(
    lambda x, y, width, height: (x, y, min(x + width, 28), min(y + height, 28)),
    st.integers(0, 26),
    st.integers(0, 26),
    st.integers(1, 28),
    st.integers(1, 28),
)


def digit(left: int, top: int, right: int, bottom: int, level: int = 200) -> Levels:
    """A picture of 28 x 28 with a block of ink."""
    picture = np.zeros((28, 28), dtype=np.uint8)
    picture[top:bottom, left:right] = level
    return picture


def line(*pictures: Levels) -> Levels:
    return np.stack(pictures)[None]


@given(pictures=arrays.arrays(np.uint8, SHAPES), gap=st.integers(-5, 6))
def test_stitch_shows_the_stronger_ink_where_cells_overlap(pictures: Levels, gap: int) -> None:
    rows, count, height, width = pictures.shape
    step = width + gap
    layers = np.zeros((count, rows * height, step * (count - 1) + width), dtype=np.uint8)
    for row, place in np.ndindex(rows, count):
        cell = layers[place, row * height : (row + 1) * height, place * step :]
        cell[:, :width] = pictures[row, place]
    assert np.array_equal(stitch(pictures, gap=gap), layers.max(axis=0))


@pytest.mark.parametrize("gap", [0, 3])
def test_stitch_tight_sets_ink_on_the_baseline_with_bearings_and_gap(gap: int) -> None:
    sheet = stitch(line(digit(4, 5, 9, 21), digit(20, 8, 22, 28)), "tight", gap)
    expected = np.zeros((28, 5 + 2 + 4 * BEARING + gap), dtype=np.uint8)
    expected[FEET - 16 : FEET, BEARING : BEARING + 5] = 200
    second = 5 + 3 * BEARING + gap
    expected[FEET - 20 : FEET, second : second + 2] = 200
    assert np.array_equal(sheet, expected)


@given(boxes=st.lists(BOXES, min_size=1, max_size=5), gap=st.integers(-12, 28))
def test_stitch_tight_loses_no_ink(boxes: list[tuple[int, int, int, int]], gap: int) -> None:
    """Even where thin digits and a negative gap would let a line run backwards."""
    pictures = line(*[digit(*box, level=100 + place) for place, box in enumerate(boxes)])
    sheet = stitch(pictures, "tight", gap)
    # No digit covers the last one, and the rightmost one ends the sheet.
    left, top, right, bottom = boxes[-1]
    assert (sheet == 99 + len(boxes)).sum() == (right - left) * (bottom - top)
    assert sheet[:, :BEARING].max() == sheet[:, -BEARING:].max() == 0
    assert sheet[:, [BEARING, -BEARING - 1]].max(axis=0).min() > 0


def test_stitch_tight_aligns_lines_left() -> None:
    short, long = line(digit(0, 4, 3, 24)), line(digit(0, 4, 9, 24))
    sheet = stitch(np.concatenate([short, long]), "tight")
    assert sheet.shape == (56, 9 + 2 * BEARING)
    assert sheet[:28, 3 + 2 * BEARING :].max() == 0


@pytest.mark.parametrize("level", [0, INK_LEVEL - 1])
@pytest.mark.parametrize("gap", [-12, 0, 28])
def test_stitch_tight_keeps_a_picture_without_ink_complete(level: int, gap: int) -> None:
    sheet = stitch(np.full((2, 3, 28, 28), level, dtype=np.uint8), "tight", gap)
    assert sheet.shape == (56, 3 * (28 + 2 * BEARING) + 2 * gap)
    assert (sheet[:, BEARING : 28 + BEARING] == level).all()


def test_ink_boxes_bound_the_ink_or_else_the_picture() -> None:
    boxes = [(3, 4, 5, 6), (0, 0, 28, 28), (27, 27, 28, 28)]
    pictures = [digit(*box) for box in boxes]
    pictures += [digit(27, 27, 28, 28, level) for level in (INK_LEVEL, INK_LEVEL - 1)]
    expected = [*boxes, (27, 27, 28, 28), (0, 0, 28, 28)]
    assert [tuple(box) for box in ink_boxes(np.stack(pictures)).tolist()] == expected


@given(
    pictures=arrays.arrays(np.uint8, SHAPES) | arrays.arrays(np.uint8, (3, 4)),
    scale=st.integers(1, 16),
)
def test_enlarge_makes_each_pixel_a_square(pictures: Levels, scale: int) -> None:
    square = np.ones((scale, scale), dtype=np.uint8)
    assert np.array_equal(enlarge(pictures, scale), np.kron(pictures, square))
