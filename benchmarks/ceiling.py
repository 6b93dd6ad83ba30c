"""The ceilings: our own application, which also answers ready bytes.

Everything around the picture is that of the service: server, layers, headers. `/ceiling` is an
ordinary route; `/ceiling-fast` is answered by a layer in front of the fast path.
"""

import sys

from fastapi import FastAPI, Response
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from app.drawing.renderer import Order, open_renderer
from app.main import create_app
from app.request.schemas import Drawing
from app.server.serve import serve
from app.settings import Settings, read_settings
from benchmarks import DIGITS, SEED

ROUTE, FAST = "/ceiling", "/ceiling-fast"


class ReadyBytes:
    """Answers one path with the same response, and passes on all others."""

    def __init__(self, app: ASGIApp, response: Response) -> None:
        self.app = app
        self.start = {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": response.raw_headers,
        }
        self.body = {"type": "http.response.body", "body": response.body}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope."""
        if scope["type"] == "http" and scope["path"] == FAST:
            await send(dict(self.start))
            await send(self.body)
        else:
            await self.app(scope, receive, send)


def ceiling_app(settings: Settings) -> FastAPI:
    """The service with the two ceilings, which always return the same PNG of four digits."""
    app = create_app(settings)
    renderer = open_renderer(settings.checkpoint, settings.engine, settings.precision)
    query = Drawing.model_validate({"digits": DIGITS})
    (picture,) = renderer.render([Order(query, SEED)])

    def response() -> Response:
        headers = {"X-Seed": str(SEED), "Cache-Control": "no-store", "Vary": "Accept"}
        return Response(picture, media_type="image/png", headers=headers)

    @app.get(ROUTE)
    async def ceiling() -> Response:
        return response()

    app.layers.insert(len(app.layers) - 1, Middleware(ReadyBytes, response()))
    return app


if __name__ == "__main__":
    serve(ceiling_app, read_settings(sys.argv[1:]))
