"""The ceilings: our own application, answering ready bytes on both of its ways.

Everything around the picture is the service's own: server, layers, headers. `/ceiling` is an
ordinary route; `/ceiling-short` is answered where the service answers plain requests, before the
framework's routing.
"""

import sys

from fastapi import FastAPI, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.application import Application
from app.main import create_app
from app.request.schemas import GenerateQuery
from app.server.serve import serve
from app.settings import read_settings
from app.drawing.renderer import open_studio
from benchmarks import DIGITS, SEED

ROUTE, SHORT = "/ceiling", "/ceiling-short"


class ReadyBytes:
    """Answers one path with the same response, and hands on all others."""

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
        if scope["type"] == "http" and scope["path"] == SHORT:
            await send(dict(self.start))
            await send(self.body)
        else:
            await self.app(scope, receive, send)


def ceiling_app() -> FastAPI:
    """The service with the two ceilings: always the same PNG of four digits."""
    settings = read_settings()
    app = create_app(settings)
    assert isinstance(app, Application)
    picture = open_studio(settings).render(GenerateQuery.check({"digits": DIGITS}), SEED)

    def response() -> Response:
        headers = {"X-Seed": str(SEED), "Cache-Control": "no-store", "Vary": "Accept"}
        return Response(picture, media_type="image/png", headers=headers)

    @app.get(ROUTE)
    async def ceiling() -> Response:
        return response()

    app.front.app = ReadyBytes(app.front.app, response())
    return app


def __getattr__(name: str) -> FastAPI:
    """`app`, made when the server asks for it."""
    if name == "app":
        return ceiling_app()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


if __name__ == "__main__":
    serve("benchmarks.ceiling:app", read_settings(sys.argv[1:]))
