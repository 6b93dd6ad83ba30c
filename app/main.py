"""The application: `create_app(settings)`, and `uvicorn app.main:app`."""

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from functools import partial

from fastapi import FastAPI

from app.api.keys import read_keys
from app.overload.pool import Places, Workshop
from app.api.application import Application
from app.api.openapi import serve_docs
from app.api.errors import handle_errors
from app.overload.gate import Gate
from app.telemetry.counters import Ledger, open_ledger
from app.telemetry.middleware import observe
from app.server.reload import reloading
from app.api.routes import metrics, router
from app.settings import Settings, read_settings
from app.drawing.renderer import LIGHT_DIGITS, open_studio
from app.overload.turnstile import Turnstile
from app.upload import UPLOADS

VERSION = "0.1.0"


def create_app(settings: Settings) -> FastAPI:
    """The service. The checkpoint is loaded when the server starts it, not here."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Gate]]:
        state, ledger = app.state, app.state.ledger
        state.keys = read_keys(settings)
        state.studio = open_studio(settings, ledger)
        state.workshop = Workshop(settings.heavy_threads, settings.heavy_queue, ledger.queue)
        state.uploads = Places(UPLOADS)
        state.turnstile = Turnstile(LIGHT_DIGITS)
        state.gate = Gate(settings.backlog, ledger.refuse, lambda: state.turnstile.waiting)
        with _own_metrics_port(settings, ledger):
            async with reloading(state, settings, partial(open_studio, settings, ledger)):
                yield {"gate": state.gate}  # for the server and its connections

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
    app.state.ledger = open_ledger(settings.metrics_folder)
    app.state.ledger.describe(version=VERSION)
    app.include_router(router)
    serve_docs(app)
    handle_errors(app)
    if settings.metrics_port == 0:
        app.include_router(metrics.router)
    app.entrance = observe(app.front, app.state.ledger, settings)
    return app


def _own_metrics_port(settings: Settings, ledger: Ledger) -> AbstractContextManager[None]:
    """The metrics' own port, if this worker is alone; that of several is their supervisor's."""
    if settings.metrics_port == 0 or settings.metrics_folder is not None:
        return nullcontext()
    from app.telemetry.prometheus import own_port  # imported when asked for: a start does without

    return own_port(settings, ledger.pages)


def __getattr__(name: str) -> FastAPI:
    """`app`, made from the environment when a server asks for it: an import reads nothing."""
    if name == "app":
        return create_app(read_settings())
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
