import base64
import contextlib
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from app.drawing.style import STEPS_PER_UNIT, StyleError, decode_style, encode_style

MODEL = "0123456789abcdef"
NOISE = arrays.arrays(np.float32, st.integers(1, 300), elements=st.floats(-3.5, 3.5, width=32))


@given(noise=NOISE)
def test_style_is_read_back_to_the_nearest_step(noise: np.ndarray) -> None:
    text = encode_style(noise, MODEL)
    again = decode_style(text, MODEL, len(noise))
    assert again.dtype == np.float32
    assert abs(again - noise).max() <= 0.5 / STEPS_PER_UNIT
    assert encode_style(again, MODEL) == text


@given(noise=NOISE)
def test_encode_style_is_short_and_safe_in_links(noise: np.ndarray) -> None:
    text = encode_style(noise, MODEL)
    assert re.fullmatch("[A-Za-z0-9_-]+", text)
    assert len(text) == -(-(len(noise) + 3) * 4 // 3)


def test_encode_style_beyond_four_is_kept_at_the_edge() -> None:
    noise = np.array([100, -100], dtype=np.float32)
    assert decode_style(encode_style(noise, MODEL), MODEL, 2).tolist() == [127 / 32, -127 / 32]


@pytest.mark.parametrize(
    "text", ["A", "AAAAA", "****", "a b=", "ASNF\n", "\u0663" * 4, "\udcff", "A" * 997]
)
def test_decode_style_that_is_none_raises(text: str) -> None:
    with pytest.raises(StyleError, match=r"^is no style that /restyle gives$"):
        decode_style(text, MODEL, 2)


@pytest.mark.parametrize("text", ["", "AAAA", "AAAAAAA"])
def test_decode_style_of_another_model_raises(text: str) -> None:
    with pytest.raises(StyleError, match=r"^is of another model; restyle the picture again$"):
        decode_style(text, MODEL, 2)


@pytest.mark.parametrize("size", [0, 1, 3, 300])
def test_decode_style_of_another_length_raises(size: int) -> None:
    text = base64.urlsafe_b64encode(bytes.fromhex(MODEL)[:3] + bytes(size)).decode().rstrip("=")
    with pytest.raises(StyleError, match=r"^is cut short or too long$"):
        decode_style(text, MODEL, 2)


@given(text=st.text(max_size=30))
def test_decode_style_of_any_text_is_noise_or_a_style_error(text: str) -> None:
    with contextlib.suppress(StyleError):
        assert np.isfinite(decode_style(text, MODEL, 2)).all()
