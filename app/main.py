"""The application, composed on one page: `create_app(settings)`."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext

from fastapi import FastAPI
from starlette.middleware import Middleware

from app import __version__
from app.api.application import Application
from app.api.boundary import Boundary
from app.api.cors import cors_layers
from app.api.errors import handle_errors
from app.api.keys import has_keys, read_keys
from app.api.openapi import describe_api, serve_docs
from app.api.overload_limit import OverloadLimit
from app.api.routes import all_routes, route_paths, route_queries
from app.api.service import Service
from app.drawing.renderer import open_renderer
from app.server.reload import reloading
from app.settings import SettingError, Settings, read_settings
from app.telemetry.counters import open_counters
from app.telemetry.log import AccessLog
from app.telemetry.middleware import TelemetryMiddleware, open_tracer


def create_app(settings: Settings | None = None) -> Application:
    """The service. The checkpoint is loaded when the server starts it, not here.

    Args:
        settings: None to read them from the environment, as `uvicorn --factory` needs it.
    """
    if settings is None:
        try:
            return create_app(read_settings())
        except SettingError as error:
            raise SystemExit(str(error)) from error
    app = Application(
        title="cvae-digits",
        version=__version__,
        summary="Type a number, get it handwritten.",
        description="A Conditional Variational Auto-Encoder, trained on MNIST, draws the digits "
        "you ask for. Every picture can be drawn again from its seed.",
        lifespan=_lifespan,
        redirect_slashes=False,
        docs_url=None,  # see serve_docs
        redoc_url=None,
    )
    app.include_router(
        all_routes(
            with_keys=has_keys(settings),
            with_metrics=settings.metrics_port == 0,
            with_page=settings.page,
        )
    )
    serve_docs(app)
    describe_api(app, route_queries())
    handle_errors(app)
    counters = open_counters(settings.metrics_folder, route_paths())
    counters.describe(version=__version__)
    access_log = None
    if settings.access_log:
        access_log = AccessLog(settings.log, on_drop=counters.drop_lines)
    service = app.state.service = Service(settings, counters, access_log)
    app.layers = [  # outermost first
        Middleware(
            TelemetryMiddleware,
            counters,
            access_log,
            open_tracer(counters) if settings.tracing else None,
        ),
        Middleware(Boundary, service),
        *cors_layers(settings),
        Middleware(OverloadLimit, service),
    ]
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[dict[str, Service]]:
    service: Service = app.state.service
    settings = service.settings

    def load() -> Callable[[], str]:
        keys = read_keys(settings)
        renderer = open_renderer(
            settings.checkpoint, settings.engine, settings.precision, service.counters
        )

        def use() -> str:
            service.use(renderer, keys)
            return renderer.model_hash

        return use

    async with reloading(settings.checkpoint, load, settings.watch_seconds):
        with _own_metrics_port(service):
            yield {"service": service}  # for the connections


def _own_metrics_port(service: Service) -> AbstractContextManager[None]:
    """The metrics on a port of their own, if this worker is the only one.

    With several workers the supervisor serves them.
    """
    settings = service.settings
    if settings.metrics_port == 0 or settings.metrics_folder is not None:
        return nullcontext()
    from app.telemetry.metrics_port import own_port  # on demand: the start does not need it

    return own_port(settings.host, settings.metrics_port, service.counters.readings)
