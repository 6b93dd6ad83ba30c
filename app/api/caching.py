"""How long an answer may be kept: a year with a seed, not at all without one."""

import hashlib

from fastapi.responses import Response

DRAWING_VERSION = "1"  # raise it when the same request gives other bytes: it is part of the ETag
IMMUTABLE = "max-age=31536000, immutable"


def lasting_headers(scope: str, *identity: str) -> dict[str, str]:
    """The caching headers of an answer that never changes.

    Args:
        scope: public, or private where answers need a key.
        identity: everything that the bytes depend on.
    """
    facts = "/".join((DRAWING_VERSION, *identity))
    tag = hashlib.blake2b(facts.encode(), digest_size=12).hexdigest()
    return {"Cache-Control": f"{scope}, {IMMUTABLE}", "ETag": f'"{tag}"'}


def seeded_headers(scope: str, asked: int | None, seed: int, *identity: str) -> dict[str, str]:
    """X-Seed and the caching headers of an answer that lasts only if a seed was asked for.

    Args:
        scope: public, or private where answers need a key.
        asked: the seed of the request, if it has one.
        seed: the one that was taken.
        identity: everything that the bytes depend on.
    """
    if asked is None:
        return {"X-Seed": str(seed), "Cache-Control": "no-store"}
    return {"X-Seed": str(seed), **lasting_headers(scope, *identity)}


def not_modified(if_none_match: str | None, headers: dict[str, str]) -> Response | None:
    """304 if the client already has the answer (RFC 9110, section 13.1.2), else None.

    Args:
        if_none_match: that header of the request.
        headers: of the answer.
    """
    if if_none_match is None or "ETag" not in headers:
        return None
    held = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    if "*" in held or headers["ETag"] in held:
        return Response(status_code=304, headers=headers)
    return None
