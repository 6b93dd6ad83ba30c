import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.settings import Settings, read_settings
from harness.launcher import running
from model.checkpoint import Checkpoint
from tests.app.test_main import run

pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra tracing is missing")

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
DRAW_AND_NAME_MODULES = """
import json, sys
from app.main import create_app
from app.settings import Settings
from starlette.testclient import TestClient
with TestClient(create_app(Settings(access_log=False))) as client:
    client.get("/generate?digits=1").raise_for_status()
print(json.dumps(list(sys.modules)))
"""
CALLER = {"traceparent": f"00-{TRACE}-{PARENT}-01"}


class Receiver(ThreadingHTTPServer):
    """Takes traces as a collector does: OTLP as protobuf over HTTP."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[ExportTraceServiceRequest] = []

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def spans(self) -> list[Span]:
        return [
            span
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        assert self.path == "/v1/traces"
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.requests.append(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        thread = threading.Thread(target=receiver.serve_forever)
        thread.start()
        yield receiver
        receiver.shutdown()
        thread.join()


@pytest.fixture
def settings(
    receiver: Receiver, tiny_checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint)
    return read_settings().model_copy(update={"checkpoint": tiny_checkpoint.folder})


def facts(pairs: "Iterator[KeyValue]") -> dict[str, str]:
    return {pair.key: str(pair.value.string_value or pair.value.int_value) for pair in pairs}


def test_request_is_a_span_below_the_caller_with_its_stages_below(
    settings: Settings, receiver: Receiver
) -> None:
    with TestClient(create_app(settings)) as client:
        begin = time.time_ns()
        answer = client.get("/generate?digits=2018", headers={**CALLER, "X-Request-ID": "r1"})
        end = time.time_ns()
        client.get("/livez")
        client.get("/metrics")
    assert answer.status_code == 200
    (request,) = (span for span in receiver.spans if span.kind == Span.SPAN_KIND_SERVER)
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, PARENT)
    assert request.name == "GET /generate"
    assert facts(iter(request.attributes)) == {
        "http.request.method": "GET",
        "http.route": "/generate",
        "http.response.status_code": "200",
        "request_id": "r1",
    }
    assert begin <= request.start_time_unix_nano < request.end_time_unix_nano <= end
    stages = [span for span in receiver.spans if span.kind == Span.SPAN_KIND_INTERNAL]
    assert [span.name for span in stages] == ["noise", "decode", "compose", "encode"]
    slack = 1_000_000  # ns: two clocks
    for span in stages:
        assert (span.trace_id, span.parent_span_id) == (request.trace_id, request.span_id)
        assert request.start_time_unix_nano - slack <= span.start_time_unix_nano
        assert span.start_time_unix_nano <= span.end_time_unix_nano
        assert span.end_time_unix_nano <= request.end_time_unix_nano + slack


def test_work_on_a_thread_belongs_to_its_request(settings: Settings, receiver: Receiver) -> None:
    with TestClient(create_app(settings)) as client:
        client.get("/dataset?count=20000&format=zip", headers=CALLER)
        client.get("/latent-map?digit=7&cells=3")
    dataset, latent_map = (span for span in receiver.spans if span.kind == Span.SPAN_KIND_SERVER)
    below = [span for span in receiver.spans if span.parent_span_id == dataset.span_id]
    assert len(below) == 64  # of more: no request floods the collector
    assert {span.trace_id.hex() for span in below} == {TRACE}
    assert latent_map.trace_id.hex() != TRACE
    names = [span.name for span in receiver.spans if span.parent_span_id == latent_map.span_id]
    assert names == ["noise", "decode", "compose", "encode"]


def test_caller_that_does_not_sample_is_followed(settings: Settings, receiver: Receiver) -> None:
    with TestClient(create_app(settings)) as client:
        client.get("/generate?digits=1", headers={"traceparent": f"00-{TRACE}-{PARENT}-00"})
        client.get("/generate?digits=2", headers={"traceparent": "nonsense"})
    (request,) = (span for span in receiver.spans if span.kind == Span.SPAN_KIND_SERVER)
    assert not request.parent_span_id


def test_nothing_that_a_client_sends_is_in_a_span(settings: Settings, receiver: Receiver) -> None:
    secret = "c2VjcmV0"
    headers = {"Authorization": secret, "X-API-Key": secret, "User-Agent": secret}
    with TestClient(create_app(settings)) as client:
        client.get(f"/generate?digits=1&key={secret}", headers=headers)
        client.get(f"/{secret}", headers=headers)
    assert len(receiver.spans) == 2
    assert secret.encode() not in b"".join(r.SerializeToString() for r in receiver.requests)


def test_workers_send_traces_and_name_them_in_the_log(receiver: Receiver) -> None:
    with running(
        "--log=json",
        workers=2,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
        OTEL_SERVICE_NAME="handwriting",
    ) as service:
        assert service.ask("/generate?digits=2018", headers=CALLER).status == 200
        assert service.ask("/generate?digits=x", headers=CALLER).status == 422
    assert len(receiver.spans) == 6  # sent at the latest when the service ends
    assert {span.trace_id.hex() for span in receiver.spans} == {TRACE}
    names = {
        facts(iter(resource.resource.attributes))["service.name"]
        for request in receiver.requests
        for resource in request.resource_spans
    }
    assert names == {"handwriting"}
    lines = [json.loads(line) for line in service.log.splitlines()]
    assert [line["trace_id"] for line in lines if line.get("route") == "/generate"] == [TRACE] * 2


def test_server_error_is_an_error_of_the_span(
    settings: Settings, receiver: Receiver, tmp_path: Path
) -> None:
    app = create_app(settings)

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError(str(tmp_path))

    with TestClient(app) as client:
        assert client.get("/broken").status_code == 500
    (request,) = (span for span in receiver.spans if span.kind == Span.SPAN_KIND_SERVER)
    assert request.status.code == Status.STATUS_CODE_ERROR
    assert request.name == "GET other"


def test_collector_that_is_not_there_stops_nothing(
    tiny_checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    settings = read_settings().model_copy(update={"checkpoint": tiny_checkpoint.folder})
    with TestClient(create_app(settings)) as client:
        assert client.get("/generate?digits=1").status_code == 200


@pytest.mark.parametrize(
    ("environment", "tracing"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "CVAE_TRACING": "false"}, False),
    ],
)
def test_tracing_is_on_where_its_endpoint_is_set(
    environment: dict[str, str], tracing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert read_settings().tracing is tracing


def test_service_without_traces_imports_nothing_of_it_and_no_prometheus_client() -> None:
    """Nothing but OpenTelemetry's empty interface, which FastAPI itself imports."""
    heavy = ("opentelemetry.sdk", "opentelemetry.exporter", "google.protobuf", "prometheus_client")
    modules = json.loads(run(DRAW_AND_NAME_MODULES))
    assert "app.main" in modules
    assert [name for name in modules if name.startswith(heavy)] == []
