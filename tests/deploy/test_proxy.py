"""deploy/proxy/nginx.conf, run by a real nginx in front of the real service."""

import json
import os
import re
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from app.api.problem import Problem
from app.api.upload import MAX_BYTES
from harness.launcher import Answer, Service, free_port, running, wait_until
from harness.nginx import CONFIGURATION, LISTEN, UPSTREAM, MissingProgramError, find_nginx, nginx

LIMIT_S = 60
PICTURE = "/generate?digits=2018"
PNG = {"Content-Type": "image/png"}

try:
    find_nginx()
except MissingProgramError as missing:
    pytest.skip(str(missing), allow_module_level=True)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with running() as service:
        yield service


@pytest.fixture(scope="module")
def proxy(service: Service) -> Iterator[Service]:
    with nginx(service.port) as proxy:
        yield proxy


@contextmanager
def open_connections(proxy: Service, requests: list[bytes]) -> Iterator[None]:
    """A connection for each of these beginnings of a request."""
    with ExitStack() as stack:
        for request in requests:
            address = ("127.0.0.1", proxy.port)
            connection = stack.enter_context(socket.create_connection(address, LIMIT_S))
            connection.sendall(request)
        yield


def assert_problem(answer: Answer, status: int) -> None:
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = Problem.model_validate_json(answer.body)
    assert problem.status == status
    assert [problem.request_id] == answer.headers.get_all("X-Request-ID")
    if status in (429, 502, 503):
        assert answer.headers["Retry-After"] == "1"


def cached(proxy: Service, path: str, headers: dict[str, str] | None = None) -> Answer:
    """The answer from the cache, in which nginx puts one just after it has sent it."""
    wait_until(lambda: proxy.ask(path, "GET", headers).headers["X-Cache"] == "HIT", "it is cached")
    return proxy.ask(path, "GET", headers)


def test_seeded_picture_is_cached(proxy: Service, service: Service) -> None:
    path = f"{PICTURE}&seed=11"
    first = proxy.ask(path)
    assert first.headers["X-Cache"] == "MISS"
    second = cached(proxy, path)
    assert first.headers["Cache-Control"] == "public, max-age=86400, must-revalidate"
    assert first.body == second.body == service.get(path)
    for name in ("ETag", "Cache-Control", "X-Seed", "Content-Type", "Vary"):
        assert first.headers[name] == second.headers[name]
    assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]
    unchanged = proxy.ask(path, "GET", {"If-None-Match": first.headers["ETag"]})
    assert (unchanged.status, unchanged.body) == (304, b"")
    named = proxy.ask(f"{path}&model={first.headers['X-Model']}")
    assert named.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert (named.body, named.headers["X-Cache"]) == (first.body, "MISS")
    other = [proxy.ask(f"{path}&model={'0' * 16}") for _ in range(2)]
    assert [(answer.status, answer.headers["X-Cache"]) for answer in other] == [(422, "MISS")] * 2


def test_cached_picture_is_cached_per_format(proxy: Service) -> None:
    path = f"{PICTURE}&seed=12"
    assert proxy.ask(path).headers["Content-Type"] == "image/png"
    svg = proxy.ask(path, "GET", {"Accept": "image/svg+xml"})
    assert (svg.headers["Content-Type"], svg.headers["X-Cache"]) == ("image/svg+xml", "MISS")
    assert cached(proxy, path, {"Accept": "image/svg+xml"}).body == svg.body


def test_picture_without_seed_is_not_cached_and_waits_for_no_other(proxy: Service) -> None:
    begun = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: proxy.ask(PICTURE), range(24)))
    assert {answer.headers["X-Cache"] for answer in answers} == {"MISS"}
    assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}
    assert len({answer.body for answer in answers}) == len(answers)
    assert time.monotonic() - begun < 5  # nginx would let each wait half a second for the next


def test_error_is_not_cached(proxy: Service) -> None:
    for _ in range(2):
        answer = proxy.ask("/generate?digits=x&seed=1")
        assert_problem(answer, 422)
        assert answer.headers["X-Cache"] == "MISS"


@pytest.mark.parametrize("name", ["Authorization", "X-API-Key"])
def test_answer_to_a_key_is_not_for_others(proxy: Service, name: str) -> None:
    path = f"{PICTURE}&seed={len(name)}"
    for _ in range(2):
        assert proxy.ask(path, "GET", {name: "secret"}).headers["X-Cache"] == "BYPASS"
    assert proxy.ask(path).headers["X-Cache"] == "MISS"


def test_request_id_is_passed_on_or_made(proxy: Service) -> None:
    answer = proxy.ask("/generate?digits=1", "GET", {"X-Request-ID": "r-1"})
    assert answer.headers.get_all("X-Request-ID") == ["r-1"]
    answer = proxy.ask("/generate?digits=1", "GET", {"X-Request-ID": "<script>"})
    (made,) = answer.headers.get_all("X-Request-ID") or []
    assert re.fullmatch("[0-9a-f]{32}", made)
    problem = proxy.ask("/generate?digits=x", "GET", {"X-Request-ID": "r-2"})
    assert_problem(problem, 422)
    assert json.loads(problem.body)["request_id"] == "r-2"  # the service had the same


def test_probes_are_reachable_and_metrics_are_not(proxy: Service, service: Service) -> None:
    for path in ("/livez", "/readyz"):
        answer = proxy.ask(path)
        assert answer.status == 200
        assert "X-Cache" not in answer.headers
    assert service.status("/metrics") == 200
    for path in ("/metrics", "/metrics?x=1", "//metrics", "/x/../metrics", "/%6detrics"):
        assert_problem(proxy.ask(path), 404)


def test_client_that_asks_too_often_gets_429(service: Service) -> None:
    with nginx(service.port) as proxy, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: proxy.ask("/model"), range(600)))
        refused = [answer for answer in answers if answer.status != 200]
        assert len(answers) - len(refused) >= 100  # the burst that a page may need
        assert len(refused) > 50
        for answer in refused:
            assert_problem(answer, 429)
        assert proxy.status("/readyz") == 200  # no limit for probes


def test_heavy_work_has_a_lower_limit(service: Service) -> None:
    with nginx(service.port) as proxy, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: proxy.status("/dataset?count=x"), range(60)))
    assert 20 < answers.count(422) < 60
    assert answers.count(422) + answers.count(429) == 60


def test_client_with_too_many_connections_gets_429(service: Service) -> None:
    """More than 50 with a request in progress: here, slow uploads."""
    head = b"POST /restyle?digits=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    uploads = [head] * 19 + [head.replace(b"/restyle", b"/generate")] * 40
    with nginx(service.port) as proxy, open_connections(proxy, uploads):
        wait_until(lambda: proxy.status("/model") == 429, "No request was refused.")
        assert_problem(proxy.ask("/model"), 429)


class SlowHandler(BaseHTTPRequestHandler):
    """Answers probes at once, and others when the event is set."""

    server: "SlowServer"
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        self.server.connections += 1
        super().setup()

    def do_GET(self) -> None:
        if self.path != "/readyz":
            self.server.waiting += 1
            self.server.go.wait(LIMIT_S)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


class SlowServer(ThreadingHTTPServer):
    """Counts its connections, and the requests that wait for the event."""

    daemon_threads = True
    request_queue_size = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), SlowHandler)
        self.connections = self.waiting = 0
        self.go = threading.Event()


@pytest.fixture
def slow_server() -> Iterator[SlowServer]:
    with SlowServer() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.go.set()
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "most"),
    [("/generate?digits=1", 32), (f"/generate?digits={'1' * 17}", 6), ("/dataset?count=1", 18)],
)
def test_more_requests_than_the_service_may_have_at_once_get_503(
    slow_server: SlowServer, path: str, most: int
) -> None:
    client = "limit_conn connections 50;", "limit_conn connections 200;"
    burst = "burst=20 nodelay", "burst=200 nodelay"
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    with (
        nginx(slow_server.server_port, dict([client, burst])) as proxy,
        open_connections(proxy, [request] * most),
    ):
        wait_until(lambda: slow_server.waiting == most, "Not all requests arrived.")
        assert_problem(proxy.ask(path), 503)
        assert proxy.status("/readyz") == 200
        slow_server.go.set()
        wait_until(lambda: proxy.status(path) == 200, "The service stayed busy.")
        assert "error" not in proxy.log  # such a line would repeat the query


def test_connections_to_the_service_are_kept(slow_server: SlowServer) -> None:
    slow_server.go.set()
    with nginx(slow_server.server_port) as proxy:
        assert [proxy.status("/") for _ in range(30)] == [200] * 30
    assert slow_server.connections <= (os.cpu_count() or 1)  # one per process of nginx


def test_slow_header_is_cut_off(proxy: Service) -> None:
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=LIMIT_S) as slow:
        slow.sendall(b"GET /generate?digits=1 HTTP/1.1\r\nHost: x\r\n")
        with suppress(ConnectionResetError):  # nginx closes; a timeout would raise
            assert b" 200 " not in slow.recv(4096)
            assert slow.recv(4096) == b""
    assert time.monotonic() - begun < LIMIT_S


def test_slow_clients_do_not_reach_the_service(proxy: Service) -> None:
    with open_connections(proxy, [b"GET /generate?digits=1 HTTP/1.1\r\nX-Slow: "] * 100):
        assert proxy.status("/generate?digits=1") == 200


def test_upload_limit_is_that_of_the_service(proxy: Service, service: Service) -> None:
    for server in (proxy, service):
        assert server.ask("/restyle?digits=1", "POST", PNG, bytes(MAX_BYTES)).status in (415, 422)
    announced = {**PNG, "Content-Length": str(MAX_BYTES + 1)}
    assert_problem(proxy.ask("/restyle?digits=1", "POST", announced), 413)
    assert f"client_max_body_size {MAX_BYTES // 2**20}m;" in CONFIGURATION
    assert f"{MAX_BYTES:,} bytes" in CONFIGURATION


def test_cached_pictures_outlive_the_service_and_the_rest_is_502() -> None:
    path = f"{PICTURE}&seed=13"
    with ExitStack() as stack:
        with running() as service:
            proxy = stack.enter_context(nginx(service.port))
            picture = proxy.get(path)
        assert proxy.get(path) == picture
        assert_problem(proxy.ask(PICTURE), 502)


def test_log_has_a_line_per_request_without_query_and_key(service: Service) -> None:
    secret = "c2VjcmV0"
    headers = {"Authorization": secret, "X-API-Key": secret, "X-Request-ID": "r-3"}
    with nginx(service.port) as proxy:
        for path in (f"/generate?digits=1&key={secret}", f"/metrics?{secret}", "/livez"):
            proxy.ask(path, "GET", headers)
    lines = [json.loads(line) for line in proxy.log.splitlines()]
    found = sorted((line["path"], line["status"], line["request_id"]) for line in lines)
    assert found == [("/generate", 422, "r-3"), ("/metrics", 404, "r-3")]
    assert secret not in proxy.log


def test_tls_part_works(service: Service, tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*made, *names, *files], check=True, capture_output=True)
    port = free_port()
    changes = {
        "#tls# ": "",
        "listen 8443": f"listen 127.0.0.1:{port}",
        "/tmp/tls/certificate.pem": str(certificate),
        "/tmp/tls/key.pem": str(key),
    }
    with nginx(service.port, changes) as proxy:
        context = ssl.create_default_context(cafile=certificate)
        connection = HTTPSConnection("127.0.0.1", port, context=context, timeout=LIMIT_S)
        connection.request("GET", "/generate?digits=1&seed=1")
        answer = connection.getresponse()
        assert answer.status == 200
        assert answer.read() == proxy.get("/generate?digits=1&seed=1")
        connection.close()


def test_addresses_stand_where_the_head_of_the_file_says() -> None:
    found = [CONFIGURATION.count(text) for text in (LISTEN, UPSTREAM, "#tls# listen 8443")]
    assert found == [1, 4, 1]
