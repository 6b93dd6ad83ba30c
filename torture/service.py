"""A real service as a process of its own, and what it holds: memory, threads, file descriptors."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from torture.load import ROOT

START_LIMIT_S = 60
POLL_S = 0.01


@dataclass(frozen=True)
class Holding:
    """What a process and its children hold. MB are 10^6 bytes."""

    memory_mb: float
    threads: int
    descriptors: int


class Service:
    """A running service."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
        self.process = process
        self.port = port
        self.address = f"http://127.0.0.1:{port}"
        self._log = log

    @property
    def log(self) -> str:
        """What it has said."""
        return self._log.read_text(errors="replace")

    def workers(self) -> list[int]:
        """The processes that serve: its children, or itself if it has none."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        children = [int(text) for text in path.read_text().split()]
        # A resource tracker of multiprocessing may be among them; it serves nothing.
        serving = [pid for pid in children if "resource_tracker" not in _command(pid)]
        return serving or [self.process.pid]

    def holding(self) -> Holding:
        """What the workers hold now."""
        found = [_holding(pid) for pid in self.workers()]
        return Holding(
            sum(one.memory_mb for one in found),
            sum(one.threads for one in found),
            sum(one.descriptors for one in found),
        )

    def status(self, path: str) -> int:
        """The status of an answer; 0 where there is none."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_LIMIT_S)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def get(self, path: str) -> bytes:
        """The body of an answer."""
        with urlopen(self.address + path, timeout=START_LIMIT_S) as answer:
            return bytes(answer.read())

    def wait_until_ready(self) -> None:
        """Until /readyz says 200.

        Raises:
            RuntimeError: it ended, or did not say so in time.
        """
        limit = time.monotonic() + START_LIMIT_S
        while self.process.poll() is None and time.monotonic() < limit:
            try:
                with urlopen(f"{self.address}/readyz", timeout=START_LIMIT_S):
                    return
            except (URLError, OSError):
                time.sleep(POLL_S)
        raise RuntimeError(f"The service on port {self.port} did not start: {self.log}")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def end(self) -> int:
        """SIGTERM, then wait; its exit code."""
        self.process.terminate()
        return self.process.wait(START_LIMIT_S)


@contextmanager
def running(*options: str, port: int | None = None, **environment: str) -> Iterator[Service]:
    """A service that is ready; ended in the end.

    Args:
        options: of `python -m app`.
        port: to listen on; a free one if not given.
        environment: variables besides the ones of this process.
    """
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        port = port or free_port()
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "--port", str(port), *options],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=log,
            stderr=log,
        )
        service = Service(process, port, Path(log.name))
        try:
            service.wait_until_ready()
            yield service
        finally:
            process.terminate()
            try:
                process.wait(START_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def on_core(number: int) -> Iterator[None]:
    """What is started in here runs on one core only, where there are several to choose from."""
    cores = _cores()
    if number >= len(cores) or len(cores) < 2:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cores[number]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@cache
def _cores() -> list[int]:
    """All that this process had to choose from before it first chose one."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def _holding(pid: int) -> Holding:
    status = Path(f"/proc/{pid}/status").read_text()
    numbers = dict(re.findall(r"^(VmRSS|Threads):\s+(\d+)", status, re.MULTILINE))
    descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return Holding(int(numbers["VmRSS"]) * 1024 / 1e6, int(numbers["Threads"]), descriptors)
