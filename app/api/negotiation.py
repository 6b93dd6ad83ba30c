"""What a client takes: the Accept and Accept-Encoding headers (RFC 9110, section 12.5)."""

import re
from functools import lru_cache

from starlette.datastructures import Headers

from app.drawing.encoding import MEDIA_TYPES
from app.request.error import Reason, RequestError

CACHED = 256  # Accept headers whose result is kept: each program sends the same one each time
QUALITY = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")  # RFC 9110, section 12.4.2


def joined(headers: Headers, name: str) -> str | None:
    """The value of a header that is a list; given several times, it is one list (section 5.3)."""
    values = headers.getlist(name)
    return ", ".join(values) if values else None


def takes_gzip(accept_encoding: str | None) -> bool:
    """Whether a client takes an answer that is compressed with gzip.

    Args:
        accept_encoding: that header of the request; without one it takes none from us.
    """
    codings = dict(_media_range(part) for part in (accept_encoding or "").split(","))
    return codings.get("gzip", codings.get("x-gzip", codings.get("*", 0.0))) > 0


def negotiated_format(asked: str | None, accept: str | None) -> str:
    """The format of a drawing: that of the parameter, else the choice by the Accept header.

    Raises:
        RequestError: the client takes none of the formats.
    """
    chosen = asked or drawing_format(accept)
    if chosen is None:
        raise RequestError(
            Reason.NOT_ACCEPTABLE,
            f"The Accept header takes none of {', '.join(MEDIA_TYPES.values())}; name one of "
            "them, or choose by the parameter format.",
        )
    return chosen


@lru_cache(maxsize=CACHED)
def drawing_format(accept: str | None) -> str | None:
    """The default format if the client takes it at all, else the one that it prefers.

    Browsers rank newer formats above PNG in every request. If that counted, the same link would
    give a WebP in one program and a PNG in another.

    Args:
        accept: the value of the header.
    Returns:
        None if the client takes none of them.
    """
    default = next(iter(MEDIA_TYPES))
    if not accept:
        return default
    ranges = [_media_range(part) for part in accept.split(",")]
    qualities = {name: _quality(media_type, ranges) for name, media_type in MEDIA_TYPES.items()}
    best = default if qualities[default] > 0 else max(qualities, key=lambda name: qualities[name])
    return best if qualities[best] > 0 else None


def _media_range(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            return name, float(parameter[2:]) if QUALITY.fullmatch(parameter[2:]) else 0.0
    return name, 1.0


def _quality(media_type: str, ranges: list[tuple[str, float]]) -> float:
    """The quality of the most specific range that covers a media type; 0 if none does."""
    for covering in (media_type, media_type.partition("/")[0] + "/*", "*/*"):
        for name, quality in ranges:
            if name == covering:
                return quality
    return 0.0
