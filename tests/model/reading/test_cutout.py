import numpy as np
import pytest
from PIL import Image

from model.reading.cutout import completed, cut_out, ink_levels
from model.reading.frame import framed
from tests.mnist import read_mnist

DIGITS = read_mnist(train=False)[0]


def pixels(ink: np.ndarray, paper: tuple[float, ...], pen: tuple[float, ...]) -> np.ndarray:
    """(H, W, 3) of ink (H, W) in [0, 1]."""
    shot: np.ndarray = np.array(paper) + ink[..., None] * (np.array(pen) - np.array(paper))
    return shot.astype(np.float32)


def plane(digit: np.ndarray, side: int) -> np.ndarray:
    """Ink (side, side) in [0, 1]."""
    large = Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC)
    return (np.asarray(large) / 255).astype(np.float32)


COLOURS = [
    ((1, 1, 1), (0, 0, 0)),
    ((0, 0, 0), (1, 1, 1)),
    ((0.1, 0.2, 0.15), (0.9, 0.9, 0.85)),
    ((0.97, 0.94, 0.82), (0.93, 0.82, 0.2)),  # equally bright, apart in blue alone
]


@pytest.mark.parametrize(("paper", "pen"), COLOURS, ids=str)
def test_cut_out_of_a_clean_picture_is_the_digit(
    paper: tuple[float, ...], pen: tuple[float, ...]
) -> None:
    for digit in DIGITS[:20]:
        shot = pixels(digit / 255, paper, pen)
        picture = Image.fromarray((shot * 255 + 0.5).astype(np.uint8))
        mask = (plane(digit, 96) > 0.5).astype(np.float32)  # without grey levels
        found = cut_out(picture, framed(picture), mask)
        assert abs(found - digit / 255).mean() < 0.012
        assert np.corrcoef(found.ravel(), digit.ravel())[0, 1] > 0.97


def test_ink_levels_are_as_dark_in_the_shade() -> None:
    ink = np.zeros((90, 90), np.float32)
    ink[20:70, 20:24] = ink[20:70, 60:64] = 1
    shot = pixels(ink, (0.95, 0.9, 0.8), (0.1, 0.1, 0.3))
    shot[:, 45:] *= 0.4
    found = ink_levels(shot, ink)
    assert found[ink == 1].min() > 0.9
    assert found[ink == 0].max() < 0.1


def test_ink_levels_leave_out_what_is_not_in_the_mask() -> None:
    ink, other = np.zeros((2, 60, 60), np.float32)
    ink[10:50, 28:32], other[30:33] = 1, 1
    found = ink_levels(pixels(np.maximum(ink, other), (1, 1, 1), (0, 0, 0)), ink)
    assert not found[30:33, :25].any()
    assert found[10:50, 28:32].mean() > 0.9


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_ink_levels_without_contrast_are_empty(level: float) -> None:
    ink = np.zeros((30, 30), np.float32)
    ink[10:20, 10:20] = 1
    assert not ink_levels(np.full((30, 30, 3), level, np.float32), ink).any()


def test_spot_of_which_only_the_edge_is_marked_is_completed() -> None:
    down, across = np.mgrid[:96, :96] - 48.0
    radius = np.hypot(down, across)
    pixels = np.where(radius < 28, 0.1, 0.9)[..., None].repeat(3, axis=2).astype(np.float32)
    edge = ((radius < 28) & (radius > 23)).astype(np.float32)
    assert (completed(pixels, edge) == (radius < 28)).all()


def test_ink_beside_a_line_of_its_colour_is_left_as_it_is() -> None:
    pixels = np.full((96, 96, 3), 0.9, np.float32)
    pixels[20:76, 40:48] = 0.1
    pixels[60:62] = 0.1  # a printed line, which the finder has left out
    ink = np.zeros((96, 96), np.float32)
    ink[20:76, 40:48] = 1
    assert (completed(pixels, ink) == ink).all()
    assert (completed(pixels, np.ones_like(ink)) == 1).all()
