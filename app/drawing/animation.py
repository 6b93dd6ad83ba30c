"""Sheets to one animated picture that runs for ever."""

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from app.drawing.palette import Palette
from app.drawing.encoding import IMAGE_DESCRIPTION


def encode_animation(
    sheets: Sequence[NDArray[np.uint8]],
    facts: Mapping[str, str],
    palette: Palette,
    fps: int,
    kind: str,
) -> bytes:
    """All sheets, one after the other, without end.

    Args:
        sheets: (H, W) uint8 grey levels each, all of one size.
        facts: what makes the animation again; EXIF in WebP, a comment in GIF, text in APNG.
        palette: ink and paper.
        fps: sheets a second.
        kind: webp, gif or apng.
    """
    first, *others = [_frame(sheet, palette, kind) for sheet in sheets]
    options: dict[str, Any] = {}
    if kind == "webp":
        exif = Image.Exif()
        exif[IMAGE_DESCRIPTION] = json.dumps(dict(facts))
        options = {"format": "WEBP", "lossless": True, "method": 0, "exif": exif.tobytes()}
    elif kind == "gif":
        options = {"format": "GIF", "comment": json.dumps(dict(facts)).encode(), "optimize": False}
    else:
        text = PngInfo()
        for word, value in facts.items():
            text.add_text(word, value)
        options = {"format": "PNG", "pnginfo": text}
    file = io.BytesIO()
    first.save(file, save_all=True, append_images=others, duration=1000 / fps, loop=0, **options)
    return file.getvalue()


def _frame(sheet: NDArray[np.uint8], palette: Palette, kind: str) -> Image.Image:
    if kind != "gif":
        return Image.fromarray(palette.paint(sheet))
    # The 256 grey levels are the GIF's palette as they are: no colours to be chosen, none lost.
    frame = Image.fromarray(sheet, mode="P")
    frame.putpalette(palette.colours().tobytes())
    return frame
