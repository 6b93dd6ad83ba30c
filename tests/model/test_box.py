import numpy as np
import pytest
from numpy.typing import NDArray

from model.box import crop, place


def box(*pixels: tuple[int, int, int]) -> NDArray[np.uint8]:
    """One box of 20 x 20 with these (row, column, level)."""
    picture = np.zeros((1, 20, 20), np.uint8)
    for row, column, level in pixels:
        picture[0, row, column] = level
    return picture


@pytest.mark.parametrize(
    ("pixels", "row", "column"),
    [
        ([(10, 12, 9)], 14, 14),  # its only pixel is its centre of mass
        ([(0, 0, 255), (0, 19, 255)], 8, 5),  # 14 - 9.5 = 4.5 is rounded up; 8 is the last place
        ([(0, 0, 3), (0, 2, 1)], 8, 8),  # 14 - 0.5 = 13.5, but the box stays inside
    ],
)
def test_centre_of_mass_comes_to_the_middle(
    pixels: list[tuple[int, int, int]], row: int, column: int
) -> None:
    (picture,) = place(box(*pixels), 28)
    assert tuple(np.argwhere(picture)[0]) == (row, column)
    assert picture.sum() == sum(level for _, _, level in pixels)


@pytest.mark.parametrize(
    ("height", "width", "canvas"), [(20, 20, 28), (36, 36, 64), (7, 12, 33), (9, 9, 9)]
)
def test_place_rounds_as_exact_arithmetic_does(height: int, width: int, canvas: int) -> None:
    rng = np.random.default_rng(0)
    shape = 200, height, width
    boxes = rng.integers(0, 256, shape) * (rng.random(shape) < 0.1)
    boxes[0] = 255
    for drawn, picture in zip(boxes, place(boxes.astype(np.uint8), canvas), strict=True):
        top, left = (
            ((canvas + 1) * int(drawn.sum()) - 2 * int((drawn * axis).sum()))
            // (2 * int(drawn.sum()))
            for axis in np.indices((height, width))
        )
        top, left = min(max(top, 0), canvas - height), min(max(left, 0), canvas - width)
        assert np.array_equal(picture[top : top + height, left : left + width], drawn)
        assert picture.sum() == drawn.sum()


def test_blank_box_is_a_blank_picture() -> None:
    assert not place(box(), 28).any()


def test_no_boxes_are_no_pictures() -> None:
    assert place(np.zeros((0, 20, 20), np.uint8), 28).shape == (0, 28, 28)


def test_crop_finds_the_box_again() -> None:
    boxes = np.zeros((2, 20, 20), np.uint8)
    boxes[0, :, 6:13] = 50  # full height; 7 columns of ink have 6 before and 7 behind
    boxes[1, 8:11, :] = 90
    boxes[0, 3, 6] = 200
    assert np.array_equal(crop(place(boxes, 28), 20, 20), boxes)


def test_crop_cuts_off_what_is_too_large_and_pads_what_is_at_the_edge() -> None:
    picture = np.zeros((1, 28, 28), np.float32)
    picture[0, :, :2] = 1
    cropped = crop(picture, 20, 20)
    assert cropped.shape == (1, 20, 20)
    assert np.array_equal(np.argwhere(cropped[0].any(axis=0)).ravel(), [9, 10])
    assert cropped[0].sum() == 40
