"""The application: `create_app(settings)`, and `uvicorn app.main:app`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from app.access import read_keys
from app.admission import Places, Workshop
from app.application import Application
from app.documentation import serve_docs
from app.errors import handle_errors
from app.gate import Gate
from app.reload import reloading
from app.routes import router
from app.settings import Settings, read_settings
from app.studio import open_studio
from app.upload import UPLOADS

VERSION = "0.1.0"


def create_app(settings: Settings) -> FastAPI:
    """The service. The checkpoint is loaded when the server starts it, not here."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        app.state.keys = read_keys(settings)
        app.state.studio = open_studio(settings)
        app.state.workshop = Workshop(settings.heavy_threads, settings.heavy_queue)
        app.state.uploads = Places(UPLOADS)
        app.state.gate = Gate(settings.backlog)
        async with reloading(app.state, settings):
            yield {"gate": app.state.gate}  # for the server and its connections

    app = Application(
        settings,
        title="cvae-digits",
        version=VERSION,
        summary="Type a number, get it handwritten.",
        description="A Conditional Variational Auto-Encoder, trained on MNIST, draws the digits "
        "you ask for. Every picture can be drawn again from its seed.",
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,  # see serve_docs
        redoc_url=None,
    )
    app.state.settings = settings
    app.include_router(router)
    serve_docs(app)
    handle_errors(app)
    return app


def __getattr__(name: str) -> FastAPI:
    """`app`, made from the environment when a server asks for it: an import reads nothing."""
    if name == "app":
        return create_app(read_settings())
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
