"""Sheets as the frames of one animated picture that loops forever."""

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from app.drawing.encoding import IMAGE_DESCRIPTION
from app.drawing.palette import Palette


def encode_animation(
    sheets: Sequence[NDArray[np.uint8]],
    facts: Mapping[str, str],
    palette: Palette,
    fps: int,
    kind: str,
) -> bytes:
    """All sheets, one after the other, in a loop.

    Args:
        sheets: (H, W) uint8 grey levels each, all of one size.
        facts: how to reproduce the animation; EXIF in WebP, a comment in GIF, text in APNG.
        palette: ink and paper.
        fps: frames per second.
        kind: webp, gif or apng.
    """
    first, *others = [_frame(sheet, palette, kind) for sheet in sheets]
    options = _options(kind, facts)
    file = io.BytesIO()
    first.save(file, save_all=True, append_images=others, duration=1000 / fps, loop=0, **options)
    return file.getvalue()


def _frame(sheet: NDArray[np.uint8], palette: Palette, kind: str) -> Image.Image:
    if kind != "gif":
        return Image.fromarray(palette.paint(sheet))
    # The 256 grey levels are the palette of the GIF, so no colour is lost.
    frame = Image.fromarray(sheet, mode="P")
    frame.putpalette(palette.colours.tobytes())
    return frame


def _options(kind: str, facts: Mapping[str, str]) -> dict[str, Any]:
    """Pillow's options for a format, which hold the facts."""
    document = json.dumps(dict(facts))
    if kind == "webp":
        exif = Image.Exif()
        exif[IMAGE_DESCRIPTION] = document
        return {"format": "WEBP", "lossless": True, "method": 0, "exif": exif.tobytes()}
    if kind == "gif":
        return {"format": "GIF", "comment": document.encode(), "optimize": False}
    text = PngInfo()
    for word, value in facts.items():
        text.add_text(word, value)
    return {"format": "PNG", "pnginfo": text}
