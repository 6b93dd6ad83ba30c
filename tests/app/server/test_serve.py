import io
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.main import create_app
from app.server.serve import serve
from app.settings import Settings
from harness.launcher import ROOT, STARTED, Command, ask, free_port, run_to_end, running, wait_until

LIMIT_S = 60
WORKERS = pytest.mark.parametrize("workers", [1, 2])


def is_running(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("part", ["uvloop", "httptools"])
def test_missing_fast_part_ends_the_start_with_a_sentence(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, part, None)  # as if it were not installed
    with pytest.raises(SystemExit, match=f"^The service needs {part}, which is not installed; run"):
        serve(create_app, Settings())


@WORKERS
def test_bad_checkpoint_ends_the_start_with_one_sentence(workers: int, tmp_path: Path) -> None:
    done = run_to_end(f"--workers={workers}", CVAE_CHECKPOINT=str(tmp_path / "none"))
    assert done.returncode == 3
    assert f"The checkpoint folder {tmp_path / 'none'} does not exist; train one" in done.stderr
    assert "Traceback" not in done.stderr


@WORKERS
def test_bad_metrics_folder_ends_the_start_with_one_sentence(workers: int, tmp_path: Path) -> None:
    done = run_to_end(f"--workers={workers}", CVAE_METRICS_FOLDER=str(tmp_path / "none"))
    assert done.returncode == 3
    assert f"The metrics folder {tmp_path / 'none'} cannot be used: No such file" in done.stderr
    assert "Traceback" not in done.stderr


@WORKERS
def test_metrics_port_that_is_taken_ends_the_start_with_a_sentence(workers: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_to_end(f"--workers={workers}", f"--metrics-port={port}")
    assert done.returncode != 0
    sentence = f"The metrics cannot be served on 127.0.0.1:{port}: Address already in use"
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


@WORKERS
def test_port_that_is_taken_ends_the_start_with_a_sentence(workers: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_to_end(f"--workers={workers}", f"--port={port}")
    assert done.returncode == 1
    sentence = f"The service cannot listen on 127.0.0.1, port {port}: Address already in use; "
    assert done.stderr.startswith(sentence)
    assert "Traceback" not in done.stderr


@WORKERS
@pytest.mark.parametrize("host", ["..", "nowhere.invalid"])
def test_host_that_does_not_exist_ends_the_start_with_a_sentence(workers: int, host: str) -> None:
    done = run_to_end(f"--workers={workers}", f"--host={host}", "--port=0")
    assert done.returncode == 1
    assert done.stderr.startswith(f"The service cannot listen on {host}, port 0: ")
    assert "Traceback" not in done.stderr


def test_two_workers_answer_and_one_signal_ends_all() -> None:
    with running(workers=2) as service:
        workers = service.workers()
        assert len(workers) == 2
        for worker in workers:  # each answers while the other is stopped
            os.kill(worker, signal.SIGSTOP)
            assert service.status("/generate?digits=2018&seed=7") == 200
            os.kill(worker, signal.SIGCONT)
        service.signal(signal.SIGTERM)
        assert service.process.wait(LIMIT_S) == 0
    assert not any(map(is_running, workers))


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux")
def test_workers_share_most_of_their_memory() -> None:
    with running(workers=2) as service:
        for worker in service.workers():
            own, resident = (held(worker, name) for name in ("Private_Dirty", "Rss"))
            assert own < 0.42 * resident  # 0.28, and 0.55 where each imports by itself


def held(pid: int, name: str) -> int:
    """A figure of the memory of a process, in kB."""
    found = re.search(rf"^{name}: +(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
    assert found
    return int(found[1])


@WORKERS
def test_log_as_json_has_a_line_for_each_request(workers: int) -> None:
    count, secret = 50, "c2VjcmV0"
    keys = {"Authorization": f"Bearer {secret}", "X-API-Key": secret, "Cookie": secret}
    with running("--log", "json", workers=workers) as service:
        for number in range(count):
            headers = {"X-Request-ID": f"r{number}", **keys}
            path = f"/generate?digits=2018&seed={number}"
            assert service.ask(path, headers=headers).status == 200
        for path in ("/livez", "/readyz", "/metrics"):
            assert service.status(path) == 200
        assert service.ask(f"/generate?digits=1&api_key={secret}", headers=keys).status == 422
        assert service.ask(f"/{secret}/..%2f?{secret}={secret}", headers=keys).status == 404
    lines = [json.loads(line) for line in service.log.splitlines()]
    assert all({"time", "level", "message"} <= set(line) for line in lines)
    assert any(STARTED in line["message"] for line in lines)
    requests = [line for line in lines if line["message"] == "request"]
    drawn = [line for line in requests if line["status"] == 200]
    assert sorted(line["request_id"] for line in drawn) == sorted(f"r{n}" for n in range(count))
    assert {(line["method"], line["route"], line["level"]) for line in drawn} == {
        ("GET", "/generate", "info")
    }
    assert all(line["duration_ms"] > 0 and line["bytes"] > 100 for line in drawn)
    assert sorted(line["status"] for line in requests if line not in drawn) == [404, 422]
    assert secret not in service.log


@pytest.mark.parametrize(("option", "lines"), [("--access-log", 1), ("--no-access-log", 0)])
def test_access_log_is_a_choice(option: str, lines: int) -> None:
    with running(option) as service:
        service.ask("/generate?digits=1", headers={"X-Request-ID": "once"})
    assert len(re.findall(r"GET /generate 200 .* once$", service.log, re.MULTILINE)) == lines


def metrics(port: int) -> str:
    """The metrics, once 20 requests are counted: they are when their answers have left."""
    line = b'\ncvae_requests_total{route="/generate",status="200"} 20.0\n'
    wait_until(lambda: line in ask(port, "/metrics").body, "20 requests are counted")
    return ask(port, "/metrics").body.decode()


@WORKERS
def test_metrics_on_their_own_port_sum_all_workers(workers: int) -> None:
    port = free_port()
    with running("--metrics-port", str(port), workers=workers) as service:
        for _ in range(20):
            assert service.status("/generate?digits=1") == 200
        text = metrics(port)
        assert service.status("/metrics") == 404
    assert f"cvae_workers {workers}.0" in text


def test_killed_worker_leaves_its_counts_to_its_successor() -> None:
    with running(workers=2) as service:
        for _ in range(20):
            assert service.status("/generate?digits=1") == 200
        metrics(service.port)
        os.kill(service.workers()[0], signal.SIGKILL)
        wait_until(lambda: service.log.count(STARTED) == 3, "another worker starts")
        text = metrics(service.port)
    assert "cvae_workers 2.0" in text
    assert len(re.findall("^process_resident_memory_bytes", text, re.MULTILINE)) == 2


def test_term_ends_the_process_whatever_its_threads_do() -> None:
    """The thread would take an hour, so the end has not waited for it."""
    code = """
import threading, time
from app.main import create_app
from app.server.serve import serve
from app.settings import read_settings
threading.Thread(target=time.sleep, args=[3600]).start()
serve(create_app, read_settings(["--port", "{port}"]))
"""
    with running(command=Command((sys.executable, "-c", code))) as service:
        service.signal(signal.SIGTERM)
        assert service.process.wait(LIMIT_S) == 0


def test_term_drains_then_ends_with_zero() -> None:
    with running("--drain-seconds", "2") as service:
        service.signal(signal.SIGTERM)
        wait_until(lambda: service.status("/readyz") == 503, "not ready")
        assert service.status("/generate?digits=1") == 200
        assert service.process.wait(LIMIT_S) == 0


def test_term_without_a_drain_finishes_requests_in_progress() -> None:
    with running() as service, ThreadPoolExecutor(1) as pool:
        large = pool.submit(service.get, "/dataset?count=20000&seed=1&format=zip")
        in_flight = "\ncvae_requests_in_flight 2.0\n"
        wait_until(lambda: in_flight in service.get("/metrics").decode(), "it has begun")
        service.signal(signal.SIGTERM)
        content = large.result(LIMIT_S)
        assert service.process.wait(LIMIT_S) == 0
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert len(archive.namelist()) == 20001


@WORKERS
def test_second_signal_ends_at_once(workers: int) -> None:
    with running("--drain-seconds", "600", workers=workers) as service:
        service.signal(signal.SIGTERM)
        wait_until(lambda: service.status("/readyz") == 503, "not ready")
        service.signal(signal.SIGTERM)
        assert service.process.wait(LIMIT_S) != 0


@WORKERS
def test_interrupt_skips_the_drain(workers: int) -> None:
    with running("--drain-seconds", "600", workers=workers) as service:
        service.signal(signal.SIGINT)
        assert service.process.wait(LIMIT_S) == 0


def test_workers_end_with_their_supervisor_and_leave_nothing() -> None:
    with running(workers=2) as service:
        workers = service.workers()
        maps = Path(f"/proc/{workers[0]}/maps").read_text()
        (folder,) = {Path(name).parent for name in re.findall(r"\S+\.counters", maps)}
        assert folder.is_dir()
        service.process.kill()
        service.process.wait()
        wait_until(lambda: not any(map(is_running, workers)), "the workers end")
    assert not folder.exists()


@WORKERS
def test_closed_terminal_ends_the_service(workers: int) -> None:
    terminal, line = pty.openpty()
    # The first terminal that the leader of a new session opens becomes its own.
    command = f'exec "{sys.executable}" -m app --port=0 --workers={workers}'
    command += f' < "{os.ttyname(line)}" > "{os.ttyname(line)}" 2>&1'
    with subprocess.Popen(["sh", "-c", command], cwd=ROOT, start_new_session=True) as service:
        shown, limit = b"", time.monotonic() + LIMIT_S
        while shown.count(STARTED.encode()) < workers:
            assert time.monotonic() < limit, shown
            if select.select([terminal], [], [], 1)[0]:
                shown += os.read(terminal, 1024)
        os.close(line)
        os.close(terminal)
        assert service.wait(LIMIT_S) in (0, 1)
