import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from app.drawing.picture import WORKING_SIDE, open_pictures
from app.request.error import Reason, RequestError
from harness import pictures

INK = np.random.default_rng(0).integers(0, 255, (30, 40, 4), np.uint8)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_open_pictures_turns_as_pillow_does(mode: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned, upright = io.BytesIO(), io.BytesIO()
    image = Image.fromarray(INK).convert(mode)
    image.save(turned, "PNG", exif=exif)
    ImageOps.exif_transpose(Image.open(turned)).save(upright, "PNG")
    first, second = open_pictures([turned.getvalue(), upright.getvalue()])
    assert np.array_equal(np.asarray(first), np.asarray(second))


@pytest.mark.parametrize(
    ("sides", "small"),
    [
        ((8192, 8192), (WORKING_SIDE, WORKING_SIDE)),  # decoded to an eighth
        ((16384, 1024), (WORKING_SIDE, 32)),  # to a half
        ((16384, 4096), (WORKING_SIDE, 128)),  # to a quarter
        ((8000, 1000), (WORKING_SIDE, 64)),  # whole
        ((16384, 1), (WORKING_SIDE, 1)),
    ],
)
def test_open_pictures_takes_large_jpegs(sides: tuple[int, int], small: tuple[int, int]) -> None:
    for width, height in (sides, sides[::-1]):
        (picture,) = open_pictures([pictures.jpeg(width, height)])
        assert (picture.mode, picture.size) == ("RGB", small if width >= height else small[::-1])


def test_open_pictures_up_to_a_size_together() -> None:
    half = pictures.png(4096, 2048)
    assert len(list(open_pictures([half] * 3))) == 3
    with pytest.raises(RequestError) as caught:
        list(open_pictures([half] * 3 + [pictures.png(1, 1)]))
    assert caught.value.reason is Reason.TOO_LARGE
    sentence = "The pictures together are too large; send fewer or smaller ones."
    assert str(caught.value) == sentence
