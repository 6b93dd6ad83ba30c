from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from app.drawing.canvas import BASELINE, INK_LEVEL, Levels, enlarge, ink_box, stitch
from app.request.schemas import BEARING

SHAPES = st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 5), st.integers(6, 9))
PICTURES = arrays.arrays(np.uint8, SHAPES)


def digit(left: int, top: int, right: int, bottom: int, level: int = 200) -> Levels:
    """A picture of 28 x 28 with a block of ink."""
    picture = np.zeros((28, 28), dtype=np.uint8)
    picture[top:bottom, left:right] = level
    return picture


def line(*pictures: Levels) -> Levels:
    return np.stack(pictures)[None]


@given(pictures=PICTURES)
def test_stitch_cells_without_gap_are_side_by_side_and_lines_below(pictures: Levels) -> None:
    expected = np.vstack([np.hstack(list(row)) for row in pictures])
    assert np.array_equal(stitch(pictures), expected)


@given(pictures=PICTURES, gap=st.integers(-5, 6))
def test_stitch_cells_with_gap_show_the_brightest_of_what_overlaps(
    pictures: Levels, gap: int
) -> None:
    rows, count, height, width = pictures.shape
    step = width + gap
    layers = np.zeros((count, rows * height, step * (count - 1) + width), dtype=np.uint8)
    for row in range(rows):
        for place in range(count):
            cell = layers[place, row * height : (row + 1) * height, place * step :]
            cell[:, :width] = pictures[row, place]
    assert np.array_equal(stitch(pictures, gap=gap), layers.max(axis=0))


def test_stitch_tight_stands_on_the_baseline_with_bearings() -> None:
    pictures = line(digit(4, 5, 9, 21), digit(20, 8, 22, 28))
    sheet = stitch(pictures, "tight")
    expected = np.zeros((28, 5 + 2 + 4 * BEARING), dtype=np.uint8)
    expected[BASELINE - 16 : BASELINE, BEARING : BEARING + 5] = 200
    expected[BASELINE - 20 : BASELINE, 5 + 3 * BEARING : 7 + 3 * BEARING] = 200
    assert np.array_equal(sheet, expected)


def test_stitch_tight_gap_parts_the_digits() -> None:
    pictures = line(digit(4, 5, 9, 21), digit(20, 8, 22, 28))
    wide = stitch(pictures, "tight", 3)
    assert wide.shape == (28, 7 + 4 * BEARING + 3)
    assert np.array_equal(
        np.delete(wide, slice(5 + 2 * BEARING, 8 + 2 * BEARING), 1), (stitch(pictures, "tight"))
    )


@given(
    ink=st.lists(
        st.tuples(st.integers(0, 26), st.integers(0, 26), st.integers(1, 28), st.integers(1, 28)),
        min_size=1,
        max_size=5,
    ),
    gap=st.integers(-12, 28),
)
def test_stitch_tight_loses_no_ink(ink: list[tuple[int, int, int, int]], gap: int) -> None:
    """Also where thin digits and a narrow gap would let a line run backwards."""
    boxes = [(x, y, min(x + w, 28), min(y + h, 28)) for x, y, w, h in ink]
    pictures = line(*[digit(*box, level=100 + place) for place, box in enumerate(boxes)])
    sheet = stitch(pictures, "tight", gap)
    # The last digit is covered by none, the one at the right end ends the sheet.
    x, y, right, bottom = boxes[-1]
    assert (sheet == 99 + len(boxes)).sum() == (right - x) * (bottom - y)
    assert sheet[:, :BEARING].max() == sheet[:, -BEARING:].max() == 0
    assert sheet[:, BEARING].max() > 0
    assert sheet[:, -BEARING - 1].max() > 0


def test_stitch_tight_lines_end_on_the_left() -> None:
    short, long = line(digit(0, 4, 3, 24)), line(digit(0, 4, 9, 24))
    sheet = stitch(np.concatenate([short, long]), "tight")
    assert sheet.shape == (56, 9 + 2 * BEARING)
    assert sheet[:28, 3 + 2 * BEARING :].max() == 0


@pytest.mark.parametrize("spacing", ["cell", "tight"])
@pytest.mark.parametrize("gap", [-12, 0, 28])
def test_stitch_blank_pictures_is_a_blank_sheet(spacing: str, gap: int) -> None:
    sheet = stitch(np.zeros((2, 3, 28, 28), dtype=np.uint8), spacing, gap)
    bearings = 6 * BEARING if spacing == "tight" else 0
    assert sheet.shape == (56, 3 * 28 + 2 * gap + bearings)
    assert sheet.max() == 0


def test_stitch_tight_faint_picture_stays_whole() -> None:
    faint = digit(0, 0, 28, 28, INK_LEVEL - 1)
    assert np.array_equal(stitch(line(faint), "tight"), np.pad(faint, ((0, 0), (1, 1))))


@pytest.mark.parametrize(
    ("picture", "box"),
    [
        (digit(3, 4, 5, 6), (3, 4, 5, 6)),
        (digit(0, 0, 28, 28), (0, 0, 28, 28)),
        (digit(27, 27, 28, 28, INK_LEVEL), (27, 27, 28, 28)),
        (digit(27, 27, 28, 28, INK_LEVEL - 1), (0, 0, 28, 28)),
    ],
)
def test_ink_box_bounds_what_counts_as_ink(picture: Levels, box: tuple[int, ...]) -> None:
    assert ink_box(picture) == box


@given(
    sheet=arrays.arrays(np.uint8, st.tuples(st.integers(1, 5), st.integers(1, 5))),
    scale=st.integers(1, 16),
)
def test_enlarge_makes_each_pixel_a_square(sheet: Levels, scale: int) -> None:
    square: Any = np.ones((scale, scale), dtype=np.uint8)
    assert np.array_equal(enlarge(sheet, scale), np.kron(sheet, square))
