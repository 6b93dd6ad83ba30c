"""The ceiling: our own application with one more route, which returns ready bytes.

Everything around the picture is the service's own: server, middleware, routing, headers.
"""

import sys

from fastapi import FastAPI, Response

from app.main import create_app
from app.schemas import GenerateQuery
from app.server import serve
from app.settings import read_settings
from app.studio import open_studio
from benchmarks import DIGITS, SEED


def ceiling_app() -> FastAPI:
    """The service with `GET /ceiling`: always the same PNG of four digits."""
    settings = read_settings()
    app = create_app(settings)
    order = GenerateQuery.check({"digits": DIGITS})
    picture = open_studio(settings).render(order, SEED)
    headers = {"X-Seed": str(SEED), "Cache-Control": "no-store", "Vary": "Accept"}

    @app.get("/ceiling")
    async def ceiling() -> Response:
        return Response(picture, media_type="image/png", headers=headers)

    return app


def __getattr__(name: str) -> FastAPI:
    """`app`, made when the server asks for it."""
    if name == "app":
        return ceiling_app()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


if __name__ == "__main__":
    serve("benchmarks.ceiling:app", read_settings(sys.argv[1:]))
