"""OpenTelemetry traces: one span for each request, one below it for each stage of drawing.

Needs the extra `tracing`; import it only where traces are switched on. OpenTelemetry reads from
its own variables where the spans go, how many are sampled, and the name of the service.
"""

import time
from contextvars import ContextVar
from dataclasses import dataclass
from http import HTTPStatus

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import Scope

from app.telemetry.counters import STAGES

MOST_STAGES = 64  # spans below a request: a data set of thousands would have as many


@dataclass
class TracedRequest:
    """A request in progress."""

    span: Span
    stages: int = 0

    def end(self, scope: Scope, status: int) -> str:
        """End the span of a request that is answered with `status`; its trace id, in hex."""
        self.span.set_attribute("http.response.status_code", status)
        self.span.set_attribute("request_id", scope.get("state", {}).get("request_id", ""))
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self.span.set_status(StatusCode.ERROR)
        self.span.end()
        _current.set(None)
        return f"{self.span.get_span_context().trace_id:032x}"


_current: ContextVar[TracedRequest | None] = ContextVar("traced_request", default=None)


class Tracer:
    """Sends spans by OTLP over HTTP, in batches, from a thread of its own."""

    def __init__(self, version: str) -> None:
        own = {"service.name": "cvae-digits", "service.version": version}
        resource = Resource.create(own).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("cvae-digits", version)
        self._propagator = TraceContextTextMapPropagator()

    def begin(self, scope: Scope, route: str) -> TracedRequest:
        """Begin the span of a request, below the span of the client if it sends `traceparent`."""
        carrier = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in scope["headers"]
            if name in (b"traceparent", b"tracestate")
        }
        span = self._tracer.start_span(
            f"{scope['method']} {route}",
            self._propagator.extract(carrier),
            SpanKind.SERVER,
            {"http.request.method": scope["method"], "http.route": route},
        )
        request = TracedRequest(span)
        _current.set(request)
        return request

    def stage(self, stage: int, began: float, ended: float) -> None:
        """Add a span, from and to `perf_counter` times, to the current request, if there is one.

        Of several requests that are drawn together, it is the first one.
        """
        request = _current.get()
        if request is None or request.stages >= MOST_STAGES or not request.span.is_recording():
            return
        request.stages += 1
        now = time.time_ns() - int(time.perf_counter() * 1e9)  # where perf_counter counts from
        context = set_span_in_context(request.span)
        span = self._tracer.start_span(STAGES[stage], context, start_time=now + int(began * 1e9))
        span.end(now + int(ended * 1e9))

    def close(self) -> None:
        """Send what is still buffered."""
        self._provider.shutdown()
