import numpy as np
import pytest
from PIL import Image

from model.reading.frame import SIDE, finder_input, framed

PICTURE = Image.fromarray(
    np.random.default_rng(0).integers(0, 255, (120, 200, 3), np.uint8).astype(np.uint8)
)


@pytest.mark.parametrize("size", [(200, 120), (120, 200), (1, 1), (9, 500), (8, 8), (512, 3)])
def test_framed_holds_all_of_a_picture_in_its_middle(size: tuple[int, int]) -> None:
    frame = framed(PICTURE.resize(size))
    high, wide = frame.rows[1] - frame.rows[0], frame.columns[1] - frame.columns[0]
    assert max(high, wide) == SIDE
    inside = frame.columns[0], frame.rows[0], frame.columns[1], frame.rows[1]
    assert frame.placed(inside) == pytest.approx((0, 0, *size))
    assert abs(frame.rows[0] - (SIDE - frame.rows[1])) <= 1


def test_framed_box_is_that_part() -> None:
    part = framed(PICTURE, (20, 10, 116, 106))
    assert (part.pixels == np.asarray(PICTURE)[10:106, 20:116]).all()
    assert part.placed((0, 0, SIDE, SIDE)) == (20, 10, 116, 106)


def test_finder_input_has_mean_0_and_spread_1_and_marks_the_picture() -> None:
    (planes,) = finder_input([framed(PICTURE)])
    inside = planes[3] == 1
    assert planes.shape == (4, SIDE, SIDE)
    assert inside.sum() == SIDE * round(SIDE * 120 / 200)
    assert abs(planes[:3, inside].mean()) < 1e-4
    assert 0.95 < planes[:3, inside].std() <= 1
    assert not planes[:, ~inside].any()


def test_finder_input_of_one_colour_is_zero() -> None:
    (planes,) = finder_input([framed(Image.new("RGB", (50, 50), "teal"))])
    assert abs(planes[:3].mean(axis=(1, 2)).mean()) < 1e-5
    assert np.isfinite(planes).all()
