"""The rules from any picture to a grey square."""

import numpy as np
import pytest
from PIL import Image

from training.data.picture import Grey, Rules, grey, square


def test_colours_are_laid_on_grey() -> None:
    found = grey(Image.new("RGB", (5, 4), (255, 0, 0)))
    assert found.levels.shape == (4, 5)
    assert found.levels[0, 0] == 76  # the luma of red
    assert found.coloured


@pytest.mark.parametrize("ink", [(0, 0, 0, 255), (255, 255, 255, 255)])
def test_transparent_paper_shows_ink_of_either_kind(ink: tuple[int, int, int, int]) -> None:
    image = Image.new("RGBA", (9, 9), (0, 0, 0, 0))
    image.paste(ink, (3, 3, 6, 6))
    found = grey(image)
    assert found.transparent
    assert abs(int(found.levels[4, 4]) - int(found.levels[0, 0])) == 255


@pytest.mark.parametrize("kind", [np.uint16, np.int32, np.float32])
def test_deep_pictures_are_rounded(kind: type) -> None:
    values = np.array([[0, 128 / 255, 1]] * 3)
    deep = values if kind is np.float32 else values * 65535
    assert grey(Image.fromarray(deep.astype(kind))).levels[0].tolist() == [0, 128, 255]


def test_wide_picture_is_padded_with_its_paper() -> None:
    levels = np.full((10, 20), 40, np.uint8)
    levels[4:6, 5:15] = 240
    result = square(Grey(levels), Rules(size=20), dark_ink=False)
    assert result.shape == (20, 20)
    assert result[0].tolist() == [40] * 20
    assert result[9:11].max() == 240


def test_fit_ink_centres_the_ink_in_20_of_28() -> None:
    levels = np.zeros((90, 90), np.uint8)
    levels[5:45, 60:70] = 255
    result = square(Grey(levels), Rules(fit="ink"), dark_ink=False)
    rows, columns = result.nonzero()
    assert (rows.min(), rows.max()) == (4, 23)
    assert abs(columns.mean() - 13.5) <= 0.5


def test_blank_picture_stays_blank_by_any_rule() -> None:
    blank = Grey(np.full((9, 9), 200, np.uint8))
    assert blank.blank
    for rules in (Rules(), Rules(fit="ink"), Rules(contrast="stretch"), Rules(fit="ink", size=8)):
        assert len(set(square(blank, rules, dark_ink=True).flatten().tolist())) == 1


def test_orientation_of_a_photo_is_followed() -> None:
    image = Image.fromarray(np.arange(6, dtype=np.uint8).reshape(2, 3))
    image.getexif()[0x0112] = 6  # turned by 90 degrees
    assert grey(image).levels.shape == (3, 2)
