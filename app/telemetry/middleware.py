"""The outermost ASGI layer: sees each request arrive and the last byte of its answer leave.

Counts the request and, where that is switched on, logs and traces it.
"""

from collections.abc import Awaitable
from time import perf_counter
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.settings import SettingError
from app.telemetry.counters import Counters
from app.telemetry.log import AccessLog
from app.telemetry.route import PROBES

if TYPE_CHECKING:  # needs an optional extra
    from app.telemetry.tracing import Tracer

CLIENT_GONE = 499  # what nginx logs for a client that left before it had an answer


class TelemetryMiddleware:
    """Counts, logs and traces the requests of the application that it wraps."""

    def __init__(
        self,
        app: ASGIApp,
        counters: Counters,
        access_log: AccessLog | None = None,
        tracer: "Tracer | None" = None,
    ) -> None:
        self.app = app
        self.counters = counters
        self.access_log = access_log
        self.tracer = tracer

    # Plain functions that return what is to be awaited: a coroutine around each would cost as
    # much as the counting.
    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one connection scope."""
        if scope["type"] == "http":
            return self._http(scope, receive, send)
        if scope["type"] == "lifespan":
            return self._lifespan(scope, receive, send)
        return self.app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = perf_counter()
        status, size, trace_id = 0, 0, ""

        def watched_send(message: Message) -> Awaitable[None]:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                size += len(message.get("body", b""))
            return send(message)

        self.counters.begin()
        index, route = self.counters.routes.find(scope["path"])
        traced = None
        if self.tracer is not None and route not in PROBES:
            traced = self.tracer.begin(scope, route)
        try:
            await self.app(scope, receive, watched_send)
        except Exception:
            status = 500  # whatever was sent, the server closes the connection
            raise
        finally:
            status = status or CLIENT_GONE
            size = 0 if scope["method"] == "HEAD" else size
            seconds = perf_counter() - began
            self.counters.end(index, status, seconds, size)
            if traced is not None:
                trace_id = traced.end(scope, status)
            if self.access_log is not None and route not in PROBES:
                self.access_log.write(scope, route, status, seconds, size, trace_id)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def closing_send(message: Message) -> None:
            if message["type"] != "lifespan.startup.complete":
                self._close()  # before the server knows: the process may end at once
            await send(message)

        await self.app(scope, receive, closing_send)

    def _close(self) -> None:
        if self.access_log is not None:
            self.access_log.flush()
        if self.tracer is not None:
            self.tracer.close()


def open_tracer(counters: Counters) -> "Tracer":
    """The tracer, which also receives the stages of drawing from the counters.

    Raises:
        SettingError: OpenTelemetry is not installed.
    """
    try:
        from app.telemetry.tracing import Tracer  # on demand: slow to import, and an extra
    except ModuleNotFoundError as error:
        raise SettingError(
            f"Traces need {error.name}, which is not installed; run `pip install "
            "'cvae-digits[tracing]'`, or leave OTEL_EXPORTER_OTLP_ENDPOINT unset."
        ) from error
    tracer = Tracer(counters.facts.get("version", ""))
    counters.on_stage = tracer.stage
    return tracer
