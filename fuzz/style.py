"""The style token, a handwriting in an address."""

import numpy as np

from app.drawing.style import decode_style, encode_style
from app.request.error import InvalidRequest
from app.request.schemas import GenerateQuery

MODEL, SIZE = "0123456789abcdef", 8
LARGEST = 4.0


def seeds() -> list[bytes]:
    """Tokens of this model, of another one, and of another size."""
    noise = np.linspace(-5, 5, SIZE, dtype=np.float32)
    tokens = (encode_style(noise, MODEL), encode_style(noise, "f" * 16))
    return [*(token.encode() for token in tokens), encode_style(noise[:3], MODEL).encode(), b"===="]


def try_bytes(data: bytes) -> None:
    """A token is refused with `InvalidRequest`, or gives the noise that it was made of."""
    text = data.decode("latin-1")
    try:
        noise = decode_style(text, MODEL, SIZE)
    except InvalidRequest:
        noise = None
    try:
        query = GenerateQuery.model_validate({"digits": "1", "style": text})
    except InvalidRequest:
        return
    if query.canonical() != f"digits=1&style={text}":
        raise AssertionError(query.canonical())
    if noise is not None:
        _check(noise)


def _check(noise: np.ndarray) -> None:
    if noise.shape != (SIZE,) or noise.dtype != np.float32 or not (abs(noise) <= LARGEST).all():
        raise AssertionError(noise)
    again = decode_style(encode_style(noise, MODEL), MODEL, SIZE)
    # -128 steps, which no token of ours has, are read back as -127.
    if not np.array_equal(again, np.maximum(noise, -127 / 32)):
        raise AssertionError(again)
