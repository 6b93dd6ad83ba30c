"""When an answer may be kept: for ever with a seed, not at all without."""

import hashlib
import secrets

from fastapi import Request
from fastapi.responses import Response

from model.noise import MAX_SEED

DRAWING_VERSION = "1"  # raise it when the same request gives other bytes: it is part of the ETag
IMMUTABLE = "public, max-age=31536000, immutable"


def chosen_seed(asked: int | None) -> int:
    """The seed that was asked for, or a random one."""
    return secrets.randbelow(MAX_SEED + 1) if asked is None else asked


def caching_headers(lasting: bool, *identity: str) -> dict[str, str]:
    """Cache-Control, and for an answer that lasts its ETag.

    Args:
        lasting: whether the same request always has the same answer.
        identity: everything that the bytes depend on.
    """
    if not lasting:
        return {"Cache-Control": "no-store"}
    facts = "/".join((DRAWING_VERSION, *identity))
    etag = f'"{hashlib.blake2b(facts.encode(), digest_size=12).hexdigest()}"'
    return {"Cache-Control": IMMUTABLE, "ETag": etag}


def seeded_headers(asked: int | None, seed: int, *identity: str) -> dict[str, str]:
    """X-Seed, and the caching headers of an answer that lasts if a seed was asked for.

    Args:
        asked: the seed of the request, if it has one.
        seed: the one that was taken, see `chosen_seed`.
        identity: everything that the bytes depend on.
    """
    return {"X-Seed": str(seed), **caching_headers(asked is not None, *identity)}


def not_modified(request: Request, headers: dict[str, str]) -> Response | None:
    """304 where the client holds the answer already (RFC 9110, section 13.1.2)."""
    asked = request.headers.get("if-none-match")
    if asked is None or "ETag" not in headers:
        return None
    held = [item.strip().removeprefix("W/") for item in asked.split(",")]
    if "*" in held or headers["ETag"] in held:
        return Response(status_code=304, headers=headers)
    return None
