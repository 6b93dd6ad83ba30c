import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from app.server.serve import server_options
from app.settings import Settings
from tests.conftest import ROOT
from torture.service import running

START_LIMIT_S = 60


def test_options_name_the_fast_parts() -> None:
    options = server_options(Settings(port=9000))
    assert (options["loop"], options["http"]) == ("uvloop", "app.server.connection:Connection")
    assert (options["port"], options["access_log"]) == (9000, False)  # the line is our own


@pytest.mark.parametrize("part", ["uvloop", "httptools"])
def test_options_fast_part_missing_ends_with_a_sentence(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, part, None)  # as if it were not installed
    with pytest.raises(SystemExit, match=f"^The service needs {part}, which is not installed; run"):
        server_options(Settings())


def test_two_workers_answer_and_one_signal_ends_all(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with started(log, "--workers", "2") as (process, address):
        workers = [
            int(pid) for pid in re.findall(r"Started server process \[(\d+)\]", log.read_text())
        ]
        assert len(workers) == 2
        for worker in workers:  # each answers while the other is asleep
            os.kill(worker, signal.SIGSTOP)
            with urlopen(f"{address}/generate?digits=2018&seed=7", timeout=START_LIMIT_S) as answer:
                assert answer.status == 200
            os.kill(worker, signal.SIGCONT)
        process.terminate()
        assert process.wait(START_LIMIT_S) == 0
    for worker in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)


def test_bad_checkpoint_ends_all_workers_with_one_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app", "--port", "0", "--workers", "2"],
        cwd=ROOT,
        env={**os.environ, "CVAE_CHECKPOINT": str(tmp_path / "none")},
        capture_output=True,
        text=True,
        timeout=START_LIMIT_S,
    )
    assert done.returncode != 0
    assert f"The checkpoint folder {tmp_path / 'none'} does not exist; train one" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("workers", ["1", "2"])
def test_log_is_lines_of_json_one_for_each_request(tmp_path: Path, workers: str) -> None:
    log, count, secret = tmp_path / "log", 50, "c2VjcmV0"
    with started(log, "--log", "json", "--workers", workers) as (_, address):
        for number in range(count):
            headers = {
                "X-Request-ID": f"r{number}",
                "Authorization": f"Bearer {secret}",
                "X-API-Key": secret,
                "Cookie": secret,
            }
            url = f"{address}/generate?digits=2018&seed={number}"
            with urlopen(Request(url, headers=headers)) as answer:
                assert answer.status == 200
        for path in ("livez", "readyz", "metrics"):
            with urlopen(f"{address}/{path}"):
                pass
        with pytest.raises(HTTPError, match="422"):
            urlopen(Request(f"{address}/generate?digits=1&api_key={secret}", headers=headers))
        with pytest.raises(HTTPError, match="404"):
            urlopen(Request(f"{address}/{secret}/..%2f?{secret}={secret}", headers=headers))
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert all({"time", "level", "message"} <= set(line) for line in lines)
    requests = [line for line in lines if line["message"] == "request"]
    drawn = [line for line in requests if line["status"] == 200]
    assert sorted(line["request_id"] for line in drawn) == sorted(f"r{n}" for n in range(count))
    assert {(line["method"], line["route"], line["level"]) for line in drawn} == {
        ("GET", "/generate", "info")
    }
    assert all(0 < line["duration_ms"] < 1000 * START_LIMIT_S for line in drawn)
    assert all(line["bytes"] > 100 for line in drawn)
    assert sorted(line["status"] for line in requests if line not in drawn) == [404, 422]
    assert any("Application startup complete" in line["message"] for line in lines)
    assert secret not in log.read_text()


@pytest.mark.parametrize(("option", "lines"), [("--access-log", 1), ("--no-access-log", 0)])
def test_access_log_is_a_choice(tmp_path: Path, option: str, lines: int) -> None:
    log = tmp_path / "log"
    with (
        started(log, option) as (_, address),
        urlopen(Request(f"{address}/generate?digits=1", headers={"X-Request-ID": "once"})),
    ):
        pass
    assert len(re.findall(r"GET /generate 200 .* once$", log.read_text(), re.MULTILINE)) == lines


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


TWENTY = 'cvae_requests_total{route="/generate",status="200"} 20.0'


def metrics_with(line: str, address: str) -> str:
    """The metrics, once they have a line: a request is counted when its answer is on its way."""
    limit = time.monotonic() + START_LIMIT_S
    while time.monotonic() < limit:
        with urlopen(f"{address}/metrics") as answer:
            text = str(answer.read(), "utf-8")
        if line in text.splitlines():
            return text
        time.sleep(0.05)
    raise AssertionError(f"{line} is not in {text}")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_metrics_on_their_own_port_sum_all_workers(tmp_path: Path, workers: str) -> None:
    port = free_port()
    options = ("--workers", workers, "--metrics-port", str(port))
    with started(tmp_path / "log", *options) as (_, address):
        for _ in range(20):
            urlopen(f"{address}/generate?digits=1").close()
        text = metrics_with(TWENTY, f"http://127.0.0.1:{port}")
        with pytest.raises(HTTPError, match="404"):
            urlopen(f"{address}/metrics")
    assert f"cvae_workers {workers}.0" in text


@pytest.mark.parametrize("workers", ["1", "2"])
def test_metrics_port_that_is_taken_ends_the_start_with_a_sentence(workers: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        options = ["--port", "0", "--workers", workers, "--metrics-port", str(port)]
        done = subprocess.run(
            [sys.executable, "-m", "app", *options],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=START_LIMIT_S,
        )
    assert done.returncode != 0
    assert (
        f"The metrics cannot be served on 127.0.0.1:{port}: Address already in use" in done.stderr
    )
    assert "Traceback" not in done.stderr


def test_killed_worker_leaves_its_counts_to_its_successor(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with started(log, "--workers", "2") as (_, address):
        for _ in range(20):
            urlopen(f"{address}/generate?digits=1").close()
        metrics_with(TWENTY, address)
        (victim, _) = re.findall(r"Started server process \[(\d+)\]", log.read_text())
        os.kill(int(victim), signal.SIGKILL)
        limit = time.monotonic() + START_LIMIT_S
        while log.read_text().count("Application startup complete") < 3:
            assert time.monotonic() < limit
            time.sleep(0.05)
        text = metrics_with(TWENTY, address)
    assert "cvae_workers 2.0" in text
    assert len(re.findall("^process_resident_memory_bytes", text, re.MULTILINE)) == 2


def test_term_drains_then_ends_with_zero() -> None:
    with running(CVAE_DRAIN_SECONDS="2") as service:
        service.signal(signal.SIGTERM)
        limit = time.monotonic() + START_LIMIT_S
        while service.status("/readyz") != 503:
            assert time.monotonic() < limit
        assert service.status("/generate?digits=1") == 200
        assert service.process.wait(START_LIMIT_S) == 0


def test_term_without_a_drain_finishes_what_is_under_way() -> None:
    with running() as service, ThreadPoolExecutor(1) as pool:
        large = pool.submit(service.get, "/dataset?count=20000&seed=1&format=zip")
        while service.holding().descriptors < 1 or not large.running():
            time.sleep(0.01)
        time.sleep(0.3)
        service.signal(signal.SIGTERM)
        content = large.result(START_LIMIT_S)
        assert service.process.wait(START_LIMIT_S) == 0
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert len(archive.namelist()) == 20001


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["one", "workers"])
def test_second_signal_ends_at_once(first: signal.Signals, options: tuple[str, ...]) -> None:
    with running(*options, CVAE_DRAIN_SECONDS="600") as service:
        if first == signal.SIGINT:  # a terminal's Ctrl-C waits for nothing but open requests
            service.signal(first)
            assert service.process.wait(START_LIMIT_S) == 0
            return
        service.signal(first)
        while service.status("/readyz") != 503:
            time.sleep(0.01)
        service.signal(signal.SIGTERM)
        assert service.process.wait(START_LIMIT_S) != 0


def test_workers_end_with_their_supervisor() -> None:
    with running("--workers", "2") as service:
        workers = service.workers()
        service.process.kill()
        service.process.wait()
        limit = time.monotonic() + START_LIMIT_S
        while any(map(is_running, workers)):
            assert time.monotonic() < limit
            time.sleep(0.05)


def is_running(pid: int) -> bool:
    """Whether a process runs; what has ended and is only not yet buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@contextmanager
def started(log: Path, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The service on a free port, with its address taken from its log."""
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "--port", "0", *options],
            cwd=ROOT,
            stderr=stream,
            stdout=stream,
        )
    try:
        workers = int(options[options.index("--workers") + 1]) if "--workers" in options else 1
        yield process, wait_for_address(log, process, workers)
    finally:
        process.terminate()
        process.wait(START_LIMIT_S)


def wait_for_address(log: Path, process: subprocess.Popen[bytes], workers: int) -> str:
    limit = time.monotonic() + START_LIMIT_S
    while time.monotonic() < limit and process.poll() is None:
        text = log.read_text()
        found = re.search(r"running on (http://127\.0\.0\.1:\d+)", text)
        if found and text.count("Application startup complete") == workers:
            return found[1]
        time.sleep(0.05)
    raise AssertionError(f"the service did not start: {log.read_text()}")
