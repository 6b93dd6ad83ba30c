import io

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from app.drawing.encoding import encode_png, encode_png_batch
from app.drawing.palette import Palette

SHEETS = arrays.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 200)))
LATIN = st.text(st.characters(min_codepoint=32, max_codepoint=126))
COLOURS = [("ffffff", "000000"), ("1a237e", "fff8e1"), ("0000ff", "transparent")]


@given(sheet=SHEETS, value=LATIN)
def test_encode_png_decodes_to_the_same_pixels_and_text(sheet: np.ndarray, value: str) -> None:
    content = encode_png(sheet, {"digits": value})
    Image.open(io.BytesIO(content)).verify()  # checksums
    picture = Image.open(io.BytesIO(content))
    assert (picture.format, picture.mode) == ("PNG", "L")
    assert np.array_equal(np.asarray(picture), sheet)
    assert picture.info == {"digits": value}


@given(sheet=SHEETS, colours=st.sampled_from(COLOURS))
def test_encode_png_has_the_colours_of_its_palette(
    sheet: np.ndarray, colours: tuple[str, str]
) -> None:
    palette = Palette(*colours)
    painted = palette.paint(sheet)
    mode = "RGBA" if palette.transparent else "RGB"
    picture = Image.open(io.BytesIO(encode_png(sheet, {}, palette))).convert(mode)
    assert np.array_equal(np.asarray(picture), painted)


def test_encode_png_takes_a_sheet_that_is_not_contiguous() -> None:
    sheet = np.arange(60, dtype=np.uint8).reshape(6, 10)[::2, ::3]
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encode_png(sheet, {})))), sheet)


@given(sheet=SHEETS, colours=st.sampled_from(COLOURS), data=st.data())
def test_encode_png_batch_has_the_bytes_of_each_picture_alone(
    sheet: np.ndarray, colours: tuple[str, str], data: st.DataObject
) -> None:
    height, width = sheet.shape
    side = st.tuples(st.integers(1, height), st.integers(1, width))
    sizes = data.draw(st.lists(st.one_of(st.just((height, width)), side), min_size=1, max_size=4))
    images, palette = np.stack([sheet + number for number in range(len(sizes))]), Palette(*colours)
    alone = [
        encode_png(image[:high, :wide], {}, palette)
        for image, (high, wide) in zip(images, sizes, strict=True)
    ]
    assert encode_png_batch(images, np.array(sizes), palette) == alone
