"""The Accept header: which of our formats a client takes (RFC 9110, section 12.5.1)."""

import re
from collections.abc import Mapping
from functools import lru_cache

from app.drawing.encoding import MEDIA_TYPES

KEPT = 256  # headers whose reading is kept: there are as many as there are programs
QUALITY = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")  # RFC 9110, section 12.4.2


@lru_cache(maxsize=KEPT)
def drawing_format(accept: str | None) -> str | None:
    """The format of a drawing by the Accept header; see `accepted_format`."""
    return accepted_format(accept, MEDIA_TYPES)


def accepted_format(accept: str | None, media_types: Mapping[str, str]) -> str | None:
    """The first format if the client takes it at all, else the one it likes best.

    Browsers rank newer formats above PNG in every request; a link that gives a WebP in one
    program and a PNG in the next would not be the same picture.

    Args:
        accept: the header's value.
        media_types: format -> media type, the default first.
    Returns:
        None where the client takes none of them.
    """
    if not accept:
        return next(iter(media_types))
    ranges = [_media_range(part) for part in accept.split(",")]
    likings = {name: _liking(media_type, ranges) for name, media_type in media_types.items()}
    default = next(iter(likings))
    best = default if likings[default] > 0 else max(likings, key=lambda name: likings[name])
    return best if likings[best] > 0 else None


def _media_range(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            return name, float(parameter[2:]) if QUALITY.fullmatch(parameter[2:]) else 0.0
    return name, 1.0


def _liking(media_type: str, ranges: list[tuple[str, float]]) -> float:
    """The quality of the most specific range that covers a media type; 0 where none does."""
    for covering in (media_type, media_type.split("/")[0] + "/*", "*/*"):
        for name, quality in ranges:
            if name == covering:
                return quality
    return 0.0
