"""What was seen in pictures, as JSON: each digit beside the drawing that its noise gives."""

import base64
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.drawing.encoding import encode_png
from app.drawing.handwriting import Hand
from app.drawing.renderer import Renderer

PLACES = 4  # decimals of a probability


def with_seen(content: bytes, hand: Hand, renderer: Renderer) -> bytes:
    """The JSON of a drawing, with the hand and everything that was seen in the pictures.

    Args:
        content: an object, see `encode_json`.
        hand: what was found.
        renderer: draws each digit again.
    """
    document = json.loads(content)
    names, labels = renderer.alphabet.names, [sight.label for sight in hand.sights]
    known = bool(names)  # a model without labels reads none
    one_hot = renderer.generator.one_hot(np.array(labels, dtype=np.intp))
    drawn = renderer.generator.draw(one_hot, hand.noises)
    seen = [
        {
            "label": names[sight.label] if known else None,
            "confidence": _share(sight.confidence),
            "runners_up": [
                {"label": names[label], "confidence": _share(share)}
                for label, share in sight.runners_up
            ],
            "digit": _png((sight.digit * 255 + 0.5).astype(np.uint8)),
            "reconstruction": _png(picture),
            "unused": sight.unused,
        }
        for sight, picture in zip(hand.sights, drawn, strict=True)
    ]
    found: dict[str, Any] = {
        "style": hand.style,
        "label": "".join(names[label] for label in hand.labels) if known else None,
        "confidence": _share(hand.confidence),
        "warning": hand.warning,
        "seen": seen,
    }
    return json.dumps({**document, **found}).encode()


def _share(share: float | None) -> float | None:
    return None if share is None else round(share, PLACES)


def _png(levels: NDArray[np.uint8]) -> str:
    return base64.b64encode(encode_png(levels, {})).decode()
