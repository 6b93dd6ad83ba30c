"""deploy/proxy/nginx.conf, run by a real nginx in front of the real service."""

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

from app.api.errors import Problem
from app.upload import MAX_BYTES
from tests.conftest import ROOT

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
CONFIGURATION = (ROOT / "deploy" / "proxy" / "nginx.conf").read_text()
LIMIT_S = 60

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")

Answer = tuple[HTTPResponse, bytes]


class Proxy(NamedTuple):
    port: int
    log: Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def moved(text: str, changes: dict[str, str]) -> str:
    """The configuration with what it says once about addresses said otherwise."""
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text


@contextmanager
def nginx(upstream: str, changes: dict[str, str] | None = None) -> Iterator[Proxy]:
    """nginx with our configuration on a free port, in a folder of its own."""
    port = free_port()
    # Not below pytest's own folder: as root nginx works as another user, who must get there.
    with tempfile.TemporaryDirectory(prefix="nginx-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        text = moved(CONFIGURATION, changes or {})
        text = moved(
            text,
            {
                "listen 8080;": f"listen 127.0.0.1:{port};",
                "server digits:8000;": f"server {upstream};",
            },
        )
        (folder / "nginx.conf").write_text(text.replace(" /tmp/nginx", f" {folder}/nginx"))
        command = [str(NGINX), "-p", name, "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            wait_for(port, process, folder / "log")
            yield Proxy(port, folder / "log")
        finally:
            process.terminate()
            process.wait(LIMIT_S)


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    limit = time.monotonic() + LIMIT_S
    while time.monotonic() < limit and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(f"nginx did not start: {log.read_text()}")


def ask(
    port: int,
    path: str,
    headers: Mapping[str, str] | None = None,
    method: str = "GET",
    body: bytes | None = None,
) -> Answer:
    connection = HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def assert_problem(answer: Answer, status: int) -> None:
    response, content = answer
    assert response.status == status
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = Problem.model_validate_json(content)
    assert problem.status == status
    assert [problem.request_id] == response.headers.get_all("X-Request-ID")


@pytest.fixture(scope="module")
def upstream(serve: Callable[..., AbstractContextManager[str]]) -> Iterator[str]:
    with serve() as address:
        yield address.removeprefix("http://")


@pytest.fixture(scope="module")
def port(upstream: str) -> Iterator[int]:
    with nginx(upstream) as proxy:
        yield proxy.port


def test_seeded_picture_is_kept(port: int, upstream: str) -> None:
    path = "/generate?digits=2018&seed=11"
    first, picture = ask(port, path)
    second, again = ask(port, path)
    assert (first.headers["X-Cache"], second.headers["X-Cache"]) == ("MISS", "HIT")
    assert first.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert picture == again == ask(int(upstream.rpartition(":")[2]), path)[1]
    for name in ("ETag", "Cache-Control", "X-Seed", "Content-Type", "Vary"):
        assert first.headers[name] == second.headers[name]
    assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]
    unchanged, nothing = ask(port, path, {"If-None-Match": first.headers["ETag"]})
    assert (unchanged.status, nothing) == (304, b"")


def test_kept_picture_is_kept_by_format(port: int) -> None:
    path = "/generate?digits=2018&seed=12"
    assert ask(port, path)[0].headers["Content-Type"] == "image/png"
    svg, _ = ask(port, path, {"Accept": "image/svg+xml"})
    assert (svg.headers["Content-Type"], svg.headers["X-Cache"]) == ("image/svg+xml", "MISS")
    assert ask(port, path, {"Accept": "image/svg+xml"})[0].headers["X-Cache"] == "HIT"


def test_picture_without_seed_is_not_kept(port: int) -> None:
    (first, picture), (second, other) = (ask(port, "/generate?digits=2018") for _ in range(2))
    assert (first.headers["X-Cache"], second.headers["X-Cache"]) == ("MISS", "MISS")
    assert first.headers["Cache-Control"] == "no-store"
    assert picture != other


def test_error_is_not_kept(port: int) -> None:
    for _ in range(2):
        answer = ask(port, "/generate?digits=x&seed=1")
        assert_problem(answer, 422)
        assert answer[0].headers["X-Cache"] == "MISS"


@pytest.mark.parametrize("name", ["Authorization", "X-API-Key"])
def test_answer_to_a_key_is_nobody_elses(port: int, name: str) -> None:
    path = f"/generate?digits=2018&seed={len(name)}"
    for _ in range(2):
        assert ask(port, path, {name: "secret"})[0].headers["X-Cache"] == "BYPASS"
    assert ask(port, path)[0].headers["X-Cache"] == "MISS"


def test_request_id_is_passed_on_or_made(port: int) -> None:
    answer, _ = ask(port, "/generate?digits=1", {"X-Request-ID": "r-1"})
    assert answer.headers.get_all("X-Request-ID") == ["r-1"]
    answer, _ = ask(port, "/generate?digits=1", {"X-Request-ID": "<script>"})
    (made,) = answer.headers.get_all("X-Request-ID") or []
    assert re.fullmatch("[0-9a-f]{32}", made)
    problem = ask(port, "/generate?digits=x", {"X-Request-ID": "r-2"})
    assert_problem(problem, 422)
    assert json.loads(problem[1])["request_id"] == "r-2"  # the service had the same


def test_probes_are_reachable_and_metrics_are_not(port: int, upstream: str) -> None:
    for path in ("/livez", "/readyz"):
        answer, _ = ask(port, path)
        assert answer.status == 200
        assert "X-Cache" not in answer.headers
    assert ask(int(upstream.rpartition(":")[2]), "/metrics")[0].status == 200
    for path in ("/metrics", "/metrics?x=1", "//metrics", "/x/../metrics", "/%6detrics"):
        assert_problem(ask(port, path), 404)


def test_client_that_asks_too_often_gets_429_and_others_go_on(upstream: str) -> None:
    with nginx(upstream) as (port, _), ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(port, "/model"), range(600)))
        refused = [answer for answer in answers if answer[0].status != 200]
        assert len(answers) - len(refused) >= 100  # the burst that a page may need
        assert len(refused) > 50
        for answer in refused:
            assert_problem(answer, 429)
            assert answer[0].headers["Retry-After"] == "1"
        assert ask(port, "/readyz")[0].status == 200  # no limit for probes


def test_heavy_work_has_a_lower_limit(upstream: str) -> None:
    with nginx(upstream) as (port, _), ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(port, "/dataset?count=x")[0].status, range(60)))
    assert 20 < answers.count(422) < 60
    assert answers.count(422) + answers.count(429) == 60


def test_client_with_too_many_connections_gets_429(upstream: str) -> None:
    """All but 50 of those that are at work at a time: here, that upload slowly."""
    head = b"POST /restyle?digits=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    with nginx(upstream) as (port, _):
        uploads = [socket.create_connection(("127.0.0.1", port)) for _ in range(19)]
        others = [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
        try:
            for upload in uploads:
                upload.sendall(head)
            for other in others:
                other.sendall(head.replace(b"/restyle", b"/generate"))
            time.sleep(0.5)
            assert_problem(ask(port, "/model"), 429)
        finally:
            for connection in (*uploads, *others):
                connection.close()


def test_slow_header_is_cut_off(port: int) -> None:
    begin = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S) as slow:
        slow.sendall(b"GET /generate?digits=1 HTTP/1.1\r\nHost: x\r\n")
        with suppress(ConnectionResetError):  # nginx closes; a time-out would raise
            assert b" 200 " not in slow.recv(4096)
            assert slow.recv(4096) == b""
    assert time.monotonic() - begin < LIMIT_S


def test_slow_clients_reach_nothing_behind(port: int) -> None:
    """100 half-sent requests wait at the proxy; the service, and others, do not notice."""
    slow = [socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S) for _ in range(100)]
    try:
        for connection in slow:
            connection.sendall(b"GET /generate?digits=1 HTTP/1.1\r\nX-Slow: ")
        assert ask(port, "/generate?digits=1")[0].status == 200
    finally:
        for connection in slow:
            connection.close()


def test_upload_limit_is_the_services_own(port: int, upstream: str) -> None:
    behind = int(upstream.rpartition(":")[2])
    headers = {"Content-Type": "image/png"}
    largest = bytes(MAX_BYTES)
    for at in (port, behind):
        assert ask(at, "/restyle?digits=1", headers, "POST", largest)[0].status in (415, 422)
    announced = {**headers, "Content-Length": str(MAX_BYTES + 1)}
    assert_problem(ask(port, "/restyle?digits=1", announced, "POST"), 413)
    assert f"client_max_body_size {MAX_BYTES // 2**20}m;" in CONFIGURATION
    assert f"{MAX_BYTES:,} bytes" in CONFIGURATION


def test_kept_pictures_outlive_the_service_and_the_rest_is_502(
    serve: Callable[..., AbstractContextManager[str]],
) -> None:
    path = "/generate?digits=2018&seed=13"
    with ExitStack() as proxy:
        with serve() as address:
            port = proxy.enter_context(nginx(address.removeprefix("http://"))).port
            _, picture = ask(port, path)
        assert ask(port, path)[1] == picture
        answer = ask(port, "/generate?digits=2018")
        assert_problem(answer, 502)
        assert answer[0].headers["Retry-After"] == "1"


class CountingServer(ThreadingHTTPServer):
    """Answers everything and counts its connections."""

    connections = 0


class CountingHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: CountingServer

    def setup(self) -> None:
        self.server.connections += 1
        super().setup()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


def test_connections_to_the_service_are_kept() -> None:
    with CountingServer(("127.0.0.1", 0), CountingHandler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        with nginx(f"127.0.0.1:{server.server_port}") as proxy:
            for _ in range(30):
                assert ask(proxy.port, "/")[0].status == 200
        server.shutdown()
        thread.join()
    assert server.connections <= (os.cpu_count() or 1)  # one for each process of nginx


def test_log_has_a_line_for_each_request_but_no_query_and_no_key(upstream: str) -> None:
    secret = "c2VjcmV0"
    headers = {"Authorization": secret, "X-API-Key": secret, "X-Request-ID": "r-3"}
    with nginx(upstream) as proxy:
        for path in (f"/generate?digits=1&key={secret}", f"/metrics?{secret}", "/livez"):
            ask(proxy.port, path, headers)
        time.sleep(0.1)
        text = proxy.log.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [(line["path"], line["status"], line["request_id"]) for line in lines] == [
        ("/generate", 422, "r-3"),
        ("/metrics", 404, "r-3"),
    ]
    assert secret not in text


def test_tls_part_works(upstream: str, tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*made, *names, *files], check=True, capture_output=True)
    tls_port = free_port()
    changes = {
        "#tls# ": "",
        "listen 8443": f"listen 127.0.0.1:{tls_port}",
        "/tmp/tls/certificate.pem": str(certificate),
        "/tmp/tls/key.pem": str(key),
    }
    with nginx(upstream, changes) as proxy:
        context = ssl.create_default_context(cafile=certificate)
        connection = HTTPSConnection("127.0.0.1", tls_port, context=context, timeout=LIMIT_S)
        connection.request("GET", "/generate?digits=1&seed=1")
        answer = connection.getresponse()
        assert answer.status == 200
        assert answer.read() == ask(proxy.port, "/generate?digits=1&seed=1")[1]
        connection.close()


def test_what_is_changed_here_is_said_once() -> None:
    """What an operator would change too."""
    for text in ("listen 8080;", "server digits:8000;", "#tls# listen 8443"):
        assert CONFIGURATION.count(text) == 1
