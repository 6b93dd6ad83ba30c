"""The outermost ASGI layer: sees each request arrive and its last byte leave.

Counts it, and where asked for writes its line in the log and its trace. Changes nothing.
"""

from collections.abc import Awaitable
from time import perf_counter
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.telemetry.counters import PROBES, Ledger, route_of
from app.telemetry.log import AccessLog
from app.settings import Settings

if TYPE_CHECKING:  # it needs an extra that is rarely there
    from app.telemetry.tracing import TracedRequest, Tracer

CLIENT_GONE = 499  # nginx' status for a client that left before it had an answer


class Observer:
    """Wraps an ASGI application."""

    def __init__(
        self,
        app: ASGIApp,
        ledger: Ledger,
        access_log: AccessLog | None = None,
        tracer: "Tracer | None" = None,
    ) -> None:
        self.app = app
        self.ledger = ledger
        self.access_log = access_log
        self.tracer = tracer

    # Plain functions that hand on what is to be awaited: a coroutine around each would cost as
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
        route = route_of(scope["path"])
        status, size = 0, 0

        def watched_send(message: Message) -> Awaitable[None]:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                size += len(message.get("body", b""))
            return send(message)

        self.ledger.begin()
        traced = None if self.tracer is None else self._begin_trace(scope, route)
        try:
            await self.app(scope, receive, watched_send)
        except Exception:
            status = 500  # whatever was begun, the server cuts it
            raise
        finally:
            status = status or CLIENT_GONE
            size = 0 if scope["method"] == "HEAD" else size
            seconds = perf_counter() - began
            self.ledger.end(route, status, seconds, size)
            trace_id = "" if traced is None else self._end_trace(traced, scope, status)
            if self.access_log is not None and route not in PROBES:
                self.access_log.write(scope, route, status, seconds, size, trace_id)

    def _begin_trace(self, scope: Scope, route: str) -> "TracedRequest | None":
        if self.tracer is None or route in PROBES:
            return None
        return self.tracer.begin(scope, route)

    def _end_trace(self, traced: "TracedRequest", scope: Scope, status: int) -> str:
        assert self.tracer is not None
        self.tracer.end(traced, scope, status)
        return traced.trace_id

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def closing_send(message: Message) -> None:
            if message["type"] != "lifespan.startup.complete":
                self.close()  # before the server hears of it: it may end at once
            await send(message)

        await self.app(scope, receive, closing_send)

    def close(self) -> None:
        """Write what is still held back."""
        if self.access_log is not None:
            self.access_log.flush()
        if self.tracer is not None:
            self.tracer.close()


def observe(app: ASGIApp, ledger: Ledger, settings: Settings) -> Observer:
    """The observer of an application, with what the settings ask for.

    Raises:
        SystemExit: with a sentence, when traces are asked for and cannot be made.
    """
    access_log = AccessLog(settings.log) if settings.access_log else None
    tracer = _open_tracer(ledger) if settings.tracing else None
    return Observer(app, ledger, access_log, tracer)


def _open_tracer(ledger: Ledger) -> "Tracer":
    try:
        from app.telemetry.tracing import Tracer  # imported when asked for: it is slow, and an extra
    except ModuleNotFoundError as error:
        raise SystemExit(
            f"Traces need {error.name}, which is not installed; run `pip install "
            "'cvae-digits[tracing]'`, or leave OTEL_EXPORTER_OTLP_ENDPOINT unset."
        ) from error
    tracer = Tracer(ledger.facts.get("version", ""))
    ledger.on_stage = tracer.stage
    return tracer
