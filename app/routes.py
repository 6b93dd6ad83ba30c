"""The endpoints: validate, draw, compose, encode, answer."""

import hashlib
import secrets
from dataclasses import dataclass

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from app.canvas import stitch
from app.documentation import problem_answer
from app.encoding import encode_png
from app.schemas import GenerateQuery
from model.noise import MAX_SEED, latents
from model.runtime import Generator

router = APIRouter()

DRAWING_VERSION = "1"  # raise it when the same request gives other bytes: it is part of the ETag
IMMUTABLE = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Studio:
    """What the endpoints draw with; made at start-up, kept in `app.state.studio`."""

    generator: Generator
    model_hash: str
    engine: str

    def draw(self, digits: str, seed: int) -> bytes:
        """The PNG of one line of digits.

        Args:
            digits: 1 or more ASCII digits.
            seed: 0 .. 2^32 - 1.
        """
        noise = latents(seed, row=0, count=len(digits), size=self.generator.config.latent)
        labels = np.frombuffer(digits.encode("ascii"), dtype=np.uint8) - ord("0")
        sheet = stitch(self.generator.draw(labels.astype(np.intp), noise))
        facts = {"digits": digits, "seed": str(seed), "model": self.model_hash}
        return encode_png(sheet, facts)

    def etag(self, digits: str, seed: int) -> str:
        """The strong validator of a seeded picture, quotes included."""
        facts = "/".join((DRAWING_VERSION, self.model_hash, self.engine, digits, str(seed)))
        return f'"{hashlib.blake2b(facts.encode(), digest_size=12).hexdigest()}"'


@router.get(
    "/generate",
    operation_id="generate",
    summary="Write a number by hand",
    response_class=Response,
    responses={
        200: {
            "description": "One line of handwritten digits, 28 x 28 pixels each, 8-bit grey. "
            "The PNG carries digits, seed and model hash as text.",
            "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}},
            "headers": {
                "X-Seed": {
                    "description": "The seed that draws this picture again.",
                    "schema": {"type": "integer", "minimum": 0, "maximum": MAX_SEED},
                },
                "ETag": {
                    "description": "With a seed: names model and parameters.",
                    "schema": {"type": "string"},
                },
                "Cache-Control": {
                    "description": "With a seed immutable, without one no-store.",
                    "schema": {"type": "string"},
                },
            },
        },
        304: {"description": "The picture named in If-None-Match is still the right one."},
        422: problem_answer("A parameter breaks its limits."),
    },
    openapi_extra={"parameters": GenerateQuery.openapi_parameters()},
)
async def generate(request: Request) -> Response:
    """Each digit is decoded from its own random latent z ~ N(0, I) and the digit asked for.

    With `seed` the answer never changes and may be cached for ever. The first digit of
    `digits=2018&seed=7` is the digit of `digits=2&seed=7`.
    """
    # No dependencies and no declared parameters: the framework's own reading of the query costs
    # more than drawing the digits.
    query = GenerateQuery.parse(request.scope["query_string"])
    studio: Studio = request.app.state.studio
    seeded = query.seed is not None
    seed = secrets.randbelow(MAX_SEED + 1) if query.seed is None else query.seed
    headers = {"X-Seed": str(seed), "Cache-Control": IMMUTABLE if seeded else "no-store"}
    if seeded:
        headers["ETag"] = studio.etag(query.digits, seed)
        if _matches(request.headers.get("if-none-match"), headers["ETag"]):
            return Response(status_code=304, headers=headers)
    return Response(studio.draw(query.digits, seed), media_type="image/png", headers=headers)


@router.get("/livez", operation_id="live", summary="Is the process alive?", tags=["probes"])
async def live() -> dict[str, str]:
    """200 as long as the process answers at all."""
    return {"status": "live"}


@router.get("/readyz", operation_id="ready", summary="Can it draw?", tags=["probes"])
async def ready(request: Request) -> dict[str, str]:
    """200 once the checkpoint is loaded, verified and warmed up."""
    studio: Studio = request.app.state.studio
    return {"status": "ready", "model": studio.model_hash, "engine": studio.engine}


@router.get("/favicon.ico", include_in_schema=False)
async def icon(request: Request) -> Response:
    """A digit of our own for the browser's tab; without it every visit logs a 404."""
    studio: Studio = request.app.state.studio
    headers = {"Cache-Control": "public, max-age=86400"}
    return Response(studio.draw("2", seed=0), media_type="image/png", headers=headers)


@router.get("/", include_in_schema=False)
async def home() -> RedirectResponse:
    """The interactive documentation, until there is a page of its own."""
    return RedirectResponse("/docs")


def _matches(if_none_match: str | None, etag: str) -> bool:
    """Whether an If-None-Match header names the ETag (RFC 9110, section 13.1.2)."""
    if if_none_match is None:
        return False
    candidates = [candidate.strip() for candidate in if_none_match.split(",")]
    return "*" in candidates or etag in [item.removeprefix("W/") for item in candidates]
