import contextlib
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from app.drawing.style import STEPS_PER_UNIT, decode_style, encode_style
from app.request.error import InvalidRequest

MODEL = "0123456789abcdef"
NOISE = arrays.arrays(np.float32, st.integers(1, 300), elements=st.floats(-3.5, 3.5, width=32))
WRONG = {
    "is not a style token from /restyle": (
        *("A", "AAAAA", "****", "a b=", "ASNF\n", "\u0663" * 4, "\udcff", "A" * 997),
    ),
    "belongs to a different model; restyle the picture again": ("", "AAAA", "AAAAAAA"),
    "is too short or too long": [
        encode_style(np.zeros(n, np.float32), MODEL) for n in (0, 1, 3, 300)
    ],
}


@given(noise=NOISE)
def test_style_is_short_safe_in_links_and_read_back_to_the_nearest_step(noise: np.ndarray) -> None:
    text = encode_style(noise, MODEL)
    assert re.fullmatch("[A-Za-z0-9_-]+", text)
    assert len(text) == -(-(len(noise) + 3) * 4 // 3)
    again = decode_style(text, MODEL, len(noise))
    assert again.dtype == np.float32
    assert abs(again - noise).max() <= 0.5 / STEPS_PER_UNIT
    assert encode_style(again, MODEL) == text


def test_encode_style_clips_noise_beyond_four() -> None:
    noise = np.array([100, -100], dtype=np.float32)
    assert decode_style(encode_style(noise, MODEL), MODEL, 2).tolist() == [127 / 32, -127 / 32]


@pytest.mark.parametrize("sentence", WRONG)
def test_decode_style_of_a_wrong_token_raises(sentence: str) -> None:
    for text in WRONG[sentence]:
        with pytest.raises(InvalidRequest) as caught:
            decode_style(text, MODEL, 2)
        assert [error.model_dump(exclude_none=True) for error in caught.value.errors] == [
            {"field": "style", "message": sentence}
        ]


@given(text=st.text(max_size=30))
def test_decode_style_of_any_text_is_noise_or_an_invalid_request(text: str) -> None:
    with contextlib.suppress(InvalidRequest):
        assert np.isfinite(decode_style(text, MODEL, 2)).all()
