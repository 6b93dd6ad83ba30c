"""The ceilings: our own application, which answers ready bytes.

Everything around the picture is that of the service: server, layers, headers. `/ceiling` is an
ordinary route. `/generate` takes the fast path, and its drawing is the same ready picture.
"""

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Response

from app.api.routes.generate import drawing_headers
from app.drawing.renderer import Order
from app.main import create_app
from app.overload.batcher import MicroBatcher
from app.request.schemas import GenerateQuery
from app.server.serve import serve
from app.settings import Settings, read_settings
from benchmarks import DIGITS, SEED

ROUTE, FAST = "/ceiling", f"/generate?digits={DIGITS}"


def ceiling_app(settings: Settings) -> FastAPI:
    """The service with the two ceilings, which always return the same PNG of four digits."""
    app = create_app(settings)
    service = app.state.service
    begin = app.router.lifespan_context
    pictures: list[bytes] = []
    query = GenerateQuery.model_validate({"digits": DIGITS})

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[Any]:
        async with begin(app) as state:
            pictures.extend(service.renderer.render([Order(query, SEED)]))
            service.batcher = MicroBatcher(ready, lambda _: len(DIGITS))
            yield state

    def ready(orders: Sequence[Order]) -> list[bytes]:
        return pictures * len(orders)

    @app.get(ROUTE)
    async def ceiling() -> Response:
        headers = drawing_headers(service, query, SEED, negotiated=True)
        return Response(pictures[0], media_type="image/png", headers=headers)

    app.router.lifespan_context = lifespan
    return app


if __name__ == "__main__":
    serve(ceiling_app, read_settings(sys.argv[1:]))
