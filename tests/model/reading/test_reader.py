"""The machinery around the two networks, with functions in their place that know the answer."""

import numpy as np
import pytest
from PIL import Image

from model.reading.reader import Reader, Seen
from tests.mnist import read_mnist

DIGITS = read_mnist(train=False)[0]


def contrast(planes: np.ndarray) -> np.ndarray:
    """Ink (N, S, S) of frames of black ink on white paper."""
    grey = planes[:, :3].mean(axis=1)
    bright, dark = grey.max(axis=(1, 2)), grey.min(axis=(1, 2))
    ink = (bright[:, None, None] - grey) / np.maximum(bright - dark, 1e-6)[:, None, None]
    return np.where(planes[:, 3] > 0, np.clip(ink, 0, 1), 0).astype(np.float32)


def heavy(digits: np.ndarray) -> np.ndarray:
    """Shares that say no digit, the more the more ink there is."""
    mass = digits.mean(axis=(1, 2))
    return np.stack([*[(1 - mass) / 10] * 10, mass], axis=1).astype(np.float32)


READER = Reader(contrast, heavy)


def sheet(*places: tuple[int, int, int], size: tuple[int, int] = (400, 300)) -> Image.Image:
    """White paper with test digits: index, left and top of each, 56 pixels wide."""
    picture = Image.new("L", size, 0)
    for index, left, top in places:
        digit = Image.fromarray(DIGITS[index]).resize((56, 56), Image.Resampling.BICUBIC)
        picture.paste(digit, (left, top))
    return Image.eval(picture, lambda level: 255 - level).convert("RGB")


def same(seen: Seen, index: int) -> bool:
    return bool(
        np.corrcoef(seen.digit.ravel(), DIGITS[index].ravel())[0, 1] > 0.75
    )  # moved by half a pixel it is 0.8


def test_read_finds_a_small_digit_with_its_place_and_form() -> None:
    (seen,) = READER.read(sheet((3, 250, 40)))
    left, top, right, bottom = seen.box
    assert 250 <= left < right <= 306
    assert 40 <= top < bottom <= 96
    assert same(seen, 3)
    assert seen.shares.sum() == pytest.approx(1)


def test_read_keeps_several_digits_apart() -> None:
    seen = READER.read(sheet((0, 40, 40), (1, 250, 200)))
    assert {index for index in (0, 1) for each in seen if same(each, index)} == {0, 1}


def test_read_of_bare_paper_is_empty() -> None:
    assert (
        Reader(lambda planes: np.zeros((len(planes), 96, 96), np.float32), heavy).read(sheet())
        == []
    )


@pytest.mark.parametrize("size", [(900, 300), (900, 1200), (300, 100)])
def test_read_line_goes_from_left_to_right(size: tuple[int, int]) -> None:
    step = (size[0] - 56) // 5
    line = sheet(*[(index, index * step, 20 + index) for index in range(5)], size=size)
    seen = READER.read_line(line)
    assert len(seen) == 5
    assert [same(each, index) for index, each in enumerate(seen)] == [True] * 5
