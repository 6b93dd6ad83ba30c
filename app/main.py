"""The application: `create_app(settings)`, and `uvicorn app.main:app`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.exceptions import HTTPException

from app.boundary import Boundary
from app.documentation import DocumentedApp, serve_docs
from app.errors import InvalidRequest, answer_http_exception, answer_invalid_request
from app.routes import Studio, router
from app.settings import Settings, read_settings
from model.checkpoint import read_checkpoint
from model.runtime import open_generator

VERSION = "0.1.0"


def create_app(settings: Settings) -> FastAPI:
    """The service. The checkpoint is loaded when the server starts it, not here."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.studio = open_studio(settings)
        yield

    app = DocumentedApp(
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
    app.include_router(router)
    serve_docs(app)
    app.add_exception_handler(InvalidRequest, answer_invalid_request)
    app.add_exception_handler(HTTPException, answer_http_exception)
    app.add_middleware(Boundary)
    return app


def open_studio(settings: Settings) -> Studio:
    """Load and verify the checkpoint, and draw once, so that the first request is a fast one.

    Raises:
        CheckpointError: the checkpoint cannot be used.
        EngineError: the engine cannot run here.
    """
    checkpoint = read_checkpoint(settings.checkpoint)
    generator = open_generator(checkpoint, settings.engine)
    studio = Studio(generator, checkpoint.model_hash, settings.engine)
    studio.draw("0123456789", seed=0)
    return studio


def __getattr__(name: str) -> FastAPI:
    """`app`, made from the environment when a server asks for it: an import reads nothing."""
    if name == "app":
        return create_app(read_settings())
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
