import io
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from app.server import server_options
from app.settings import Settings
from tests.conftest import ROOT
from torture.service import running

START_LIMIT_S = 60


def test_options_name_the_fast_parts() -> None:
    options = server_options(Settings(port=9000, access_log=True))
    assert (options["loop"], options["http"]) == ("uvloop", "app.protocol:Connection")
    assert (options["port"], options["access_log"]) == (9000, True)


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


@pytest.mark.parametrize(("option", "lines"), [("--access-log", 1), ("--no-access-log", 0)])
def test_access_log_is_a_choice(tmp_path: Path, option: str, lines: int) -> None:
    log = tmp_path / "log"
    with started(log, option) as (_, address), urlopen(f"{address}/livez?once"):
        pass
    assert log.read_text().count("/livez?once") == lines


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
        while any(Path(f"/proc/{pid}").exists() for pid in workers):
            assert time.monotonic() < limit
            time.sleep(0.05)


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
        workers = 2 if "--workers" in options else 1
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
