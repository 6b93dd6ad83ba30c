"""Style tokens: a hand as a short text that fits into a link."""

import base64
import binascii

import numpy as np
from numpy.typing import NDArray

from app.request.error import invalid

STEPS_PER_UNIT = 32  # noise is kept in steps of 1/32, from -4 to 4: finer than a grey level shows
PREFIX_BYTES = 3  # of the model's hash: a hand means nothing to another model


def encode_style(noise: NDArray[np.float32], model_hash: str) -> str:
    """The noise (Z,) of a hand as text of 4/3 (Z + 3) characters that are safe in links."""
    steps = np.clip(np.rint(noise * STEPS_PER_UNIT), -127, 127).astype(np.int8)
    content = bytes.fromhex(model_hash)[:PREFIX_BYTES] + steps.tobytes()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def decode_style(text: str, model_hash: str, size: int) -> NDArray[np.float32]:
    """The noise (Z,) float32 that `encode_style` made `text` of, to the nearest step.

    Args:
        text: the token of a request.
        model_hash: 16 hex digits, of the model that draws.
        size: Z of that model.
    Raises:
        InvalidRequest: the text is not a token of this model.
    """
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid("style", "is not a style token from /restyle") from error
    prefix = bytes.fromhex(model_hash)[:PREFIX_BYTES]
    if content[:PREFIX_BYTES] != prefix:
        raise invalid("style", "belongs to a different model; restyle the picture again")
    if len(content) != PREFIX_BYTES + size:
        raise invalid("style", "is too short or too long")
    steps = np.frombuffer(content, dtype=np.int8, offset=PREFIX_BYTES)
    return steps.astype(np.float32) / np.float32(STEPS_PER_UNIT)
