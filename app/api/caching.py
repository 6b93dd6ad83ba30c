"""How long an answer may be kept: a day with a seed, a year where the model is named too."""

import hashlib

from fastapi.responses import Response

DRAWING_VERSION = "4"  # raise it when the same request gives other bytes: it is part of the ETag
IMMUTABLE = "max-age=31536000, immutable"  # where the address names everything that decides it
REVALIDATED = "max-age=86400, must-revalidate"  # where a new model may change it


def lasting_headers(control: str, model: str, *identity: str) -> dict[str, str]:
    """The caching headers of an answer that never changes as long as the model draws.

    Args:
        control: the value of Cache-Control.
        model: what draws.
        identity: everything else that the bytes depend on.
    """
    facts = "/".join((DRAWING_VERSION, model, *identity))
    tag = hashlib.blake2b(facts.encode(), digest_size=12).hexdigest()
    return {"X-Model": model, "Cache-Control": control, "ETag": f'"{tag}"'}


def seeded_headers(
    control: str, asked: int | None, seed: int, model: str, *identity: str
) -> dict[str, str]:
    """X-Seed and the caching headers of an answer that lasts only if a seed was asked for.

    Args:
        control: see `lasting_headers`.
        asked: the seed of the request, if it has one.
        seed: the one that was taken.
        model: see `lasting_headers`.
        identity: see `lasting_headers`.
    """
    if asked is None:
        return {"X-Seed": str(seed), "X-Model": model, "Cache-Control": "no-store"}
    return {"X-Seed": str(seed), **lasting_headers(control, model, *identity)}


def is_held(if_none_match: str | None, headers: dict[str, str]) -> bool:
    """Whether the client already has the answer (RFC 9110, section 13.1.2).

    Args:
        if_none_match: that header of the request.
        headers: of the answer.
    """
    if if_none_match is None or "ETag" not in headers:
        return False
    held = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in held or headers["ETag"] in held


def not_modified(if_none_match: str | None, headers: dict[str, str]) -> Response | None:
    """304 if the client already has the answer, else None; see `is_held`."""
    if is_held(if_none_match, headers):
        return Response(status_code=304, headers=headers)
    return None
