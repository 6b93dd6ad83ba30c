import io

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from app.drawing.encoding import encode_png

SHAPES = st.tuples(st.integers(1, 40), st.integers(1, 200))
LATIN = st.text(st.characters(min_codepoint=32, max_codepoint=126))


@given(sheet=arrays.arrays(np.uint8, SHAPES), value=LATIN)
def test_encode_png_decodes_to_the_same_pixels_and_text(sheet: np.ndarray, value: str) -> None:
    picture = Image.open(io.BytesIO(encode_png(sheet, {"digits": value})))
    picture.verify()  # checksums
    picture = Image.open(io.BytesIO(encode_png(sheet, {"digits": value})))
    assert (picture.format, picture.mode) == ("PNG", "L")
    assert np.array_equal(np.asarray(picture), sheet)
    assert picture.info == {"digits": value}


def test_encode_png_takes_a_sheet_that_is_not_contiguous() -> None:
    sheet = np.arange(60, dtype=np.uint8).reshape(6, 10)[::2, ::3]
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encode_png(sheet, {})))), sheet)
