"""A service under measurement: a process group of its own, on one core, timed from its start."""

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.figure import Memory
from benchmarks.plan import Command
from benchmarks.wrk import LoadError, Request

ROOT = Path(__file__).parent.parent
START_LIMIT_S = 120
STOP_LIMIT_S = 20
POLL_S = 0.005
# One thread each, and nobody told that a benchmark runs.
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "BENTOML_DO_NOT_TRACK": "True"}


class Service:
    """A running service."""

    def __init__(self, process: psutil.Popen, port: int, first_digit_s: float) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self.first_digit_s = first_digit_s
        self._process = process
        self._port = port

    def memory(self) -> Memory:
        """What it and its children hold now."""
        details = [process.memory_full_info() for process in self._tree()]
        return Memory(
            sum(detail.rss for detail in details) / 1e6,
            sum(detail.pss for detail in details) / 1e6,
        )

    def cpu_s(self) -> float:
        """Processor time that it and its children have used, in seconds."""
        times = [process.cpu_times() for process in self._tree()]
        return float(sum(time.user + time.system for time in times))

    def answer(self, request: Request) -> tuple[int, Mapping[str, str]]:
        """Status and headers of one answer."""
        return ask(self._port, request)

    def sleep(self) -> None:
        """Stop all its processes, so that it costs the others nothing."""
        self._signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Go on."""
        self._signal(signal.SIGCONT)

    def end(self) -> None:
        """End it and its children, by force where they do not listen."""
        self.wake()
        tree = self._tree()
        self._process.terminate()
        _, left = psutil.wait_procs(tree, timeout=STOP_LIMIT_S)
        for process in left:
            process.kill()

    def _signal(self, number: signal.Signals) -> None:
        for process in self._tree():
            process.send_signal(number)

    def _tree(self) -> list[psutil.Process]:
        return [*self._process.children(recursive=True), self._process]


@contextmanager
def running(command: Command, core: int | None) -> Iterator[Service]:
    """The service of a command, from its first digit on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = time.perf_counter()
    with on_core(core):
        process = psutil.Popen(
            [argument.format(port=port) for argument in command.arguments],
            cwd=ROOT,
            env={**os.environ, **ENVIRONMENT},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    service = Service(process, port, 0)
    try:
        _wait_for_digit(process, port, command)
        service.first_digit_s = time.perf_counter() - started
        yield service
    finally:
        service.end()


@contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """What is started in here runs on one core only; None leaves the choice to the system."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def ask(port: int, request: Request) -> tuple[int, Mapping[str, str]]:
    """Status and headers of one answer on the loopback."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_LIMIT_S)
    try:
        headers = {**request.headers, "Content-Type": "application/json"}
        method = "GET" if request.json is None else "POST"
        connection.request(method, request.path, body=request.json, headers=headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status, dict(answer.getheaders())
    finally:
        connection.close()


def _wait_for_digit(process: psutil.Popen, port: int, command: Command) -> None:
    limit = time.monotonic() + START_LIMIT_S
    while time.monotonic() < limit and process.poll() is None:
        try:
            if ask(port, command.request)[0] == http.HTTPStatus.OK:
                return
        except (ConnectionError, http.client.HTTPException):
            pass
        time.sleep(POLL_S)
    raise LoadError(
        f"`{' '.join(command.arguments)}` gave no digit within {START_LIMIT_S} s; "
        "start it by hand to see why."
    )
