"""Start a service on a free port, wait until it is ready, and end it with all its children."""

import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, Signals
from typing import IO, NamedTuple

from harness.process import Holding, holding, workers

ROOT = Path(__file__).parent.parent
LIMIT_S = 60  # for a start or an end
ANSWER_LIMIT_S = 300  # the largest allowed requests take long beside others
POLL_S = 0.005
STARTED = "Application startup complete"  # uvicorn logs it once per worker


class StartError(Exception):
    """A service ended, or was not ready in time; the message ends with its log."""


class Answer(NamedTuple):
    """One HTTP answer."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Service:
    """A running service.

    Attributes:
        process: its first process, the leader of its process group.
        port: where it listens on 127.0.0.1.
        address: `http://127.0.0.1:port`.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, log: IO[bytes]) -> None:
        self.process = process
        self.port = port
        self.address = f"http://127.0.0.1:{port}"
        self._log_file = log
        self._log = ""

    @property
    def log(self) -> str:
        """All that the service has written to stdout and stderr, also after its end."""
        if not self._log_file.closed:
            number = self._log_file.fileno()  # read without moving the offset, which is shared
            self._log = os.pread(number, os.fstat(number).st_size, 0).decode(errors="replace")
        return self._log

    def ask(
        self,
        path: str,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """The answer to one request, see `ask`."""
        return ask(self.port, path, method, headers, body)

    def status(self, path: str) -> int:
        """The status of an answer; 0 where there is none."""
        try:
            return self.ask(path).status
        except (OSError, http.client.HTTPException):
            return 0

    def get(self, path: str) -> bytes:
        """The body of an answer with status 200.

        Raises:
            AssertionError: the answer has another status.
        """
        answer = self.ask(path)
        if answer.status != HTTPStatus.OK:
            raise AssertionError(f"{path} has status {answer.status}: {answer.body[:500]!r}")
        return answer.body

    def workers(self) -> list[int]:
        """Process ids of the workers, or of itself if it has none."""
        return workers(self.process.pid) or [self.process.pid]

    def holding(self) -> Holding:
        """What all workers together hold now."""
        return holding(self.workers())

    def signal(self, number: Signals) -> None:
        """Send a signal to the first process."""
        self.process.send_signal(number)

    def pause(self) -> None:
        """Stop all its processes."""
        self._signal_all(SIGSTOP)

    def resume(self) -> None:
        """Continue after `pause`."""
        self._signal_all(SIGCONT)

    def end(self) -> int:
        """The exit code after SIGTERM; kills whatever is left of the process group."""
        self.resume()  # a stopped process does not react to SIGTERM
        self.process.terminate()
        try:
            return self.process.wait(LIMIT_S)
        finally:
            self._signal_all(SIGKILL)
            self.process.wait()

    def _signal_all(self, number: Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):  # all have ended
            os.killpg(self.process.pid, number)


Ready = Callable[[Service], bool]  # an OSError means: not yet


def is_ready(service: Service) -> bool:
    """Whether `/readyz` answers 200."""
    return service.status("/readyz") == HTTPStatus.OK


def is_listening(service: Service) -> bool:
    """Whether the port accepts connections."""
    with socket.create_connection(("127.0.0.1", service.port), LIMIT_S):
        return True


@dataclass(frozen=True)
class Command:
    """How to start a service.

    Attributes:
        arguments: of the process; `{port}` stands for the port.
        ready: tells whether it is ready.
        folder: its working directory.
    """

    arguments: Sequence[str]
    ready: Ready = is_ready
    folder: Path = ROOT


APP = Command((sys.executable, "-m", "app", "--port", "{port}"))


@contextmanager
def running(
    *options: str,
    command: Command = APP,
    workers: int = 1,
    port: int | None = None,
    keep_log: bool = True,
    output: int | None = None,
    **environment: str,
) -> Iterator[Service]:
    """A service that is ready; it ends with the block.

    Args:
        options: appended to the arguments of the command.
        command: what to start; by default `python -m app`.
        workers: number of worker processes; if more than 1, the option `--workers` is appended,
            and the service is not ready before all of them have started.
        port: to listen on; by default a free one.
        keep_log: False discards what the service writes.
        output: descriptor to which the service writes, instead of its log.
        environment: variables in addition to those of this process.
    Raises:
        StartError: the service ended, or was not ready within `LIMIT_S`.
    """
    port = port or free_port()
    if workers > 1:
        options = (*options, "--workers", str(workers))
    with tempfile.TemporaryFile() as log:
        kept = log if keep_log else subprocess.DEVNULL
        written = kept if output is None else output
        process = subprocess.Popen(
            [part.replace("{port}", str(port)) for part in (*command.arguments, *options)],
            cwd=command.folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=written,
            process_group=0,
        )
        service = Service(process, port, log)
        try:
            _wait_for_start(service, command.ready, workers)
            yield service
        finally:
            try:
                service.end()
            finally:
                _ = service.log  # so that it can be read after the file is gone


def run_to_end(*options: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """The result of `python -m app`, for a start that is expected to fail.

    Raises:
        TimeoutExpired: it did not end within `LIMIT_S`.
    """
    return subprocess.run(
        [part.replace("{port}", "0") for part in (*APP.arguments, *options)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def ask(
    port: int,
    path: str,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Answer:
    """The answer to one request to 127.0.0.1, on a connection of its own.

    Raises:
        OSError, HTTPException: there is no answer.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_LIMIT_S)
    try:
        connection.request(method, path, body, dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def wait_until(condition: Callable[[], bool], sentence: str, limit_s: float = LIMIT_S) -> None:
    """Wait until a condition holds.

    Raises:
        AssertionError: it did not hold within `limit_s`; the sentence says what was expected.
    """
    limit = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > limit:
            raise AssertionError(f"{sentence} (waited {limit_s:g} s)")
        time.sleep(POLL_S)


def free_port() -> int:
    """A port of 127.0.0.1 on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for_start(service: Service, ready: Ready, workers: int) -> None:
    limit = time.monotonic() + LIMIT_S
    while service.process.poll() is None and time.monotonic() < limit:
        with suppress(OSError, http.client.HTTPException):
            if ready(service) and (workers == 1 or service.log.count(STARTED) >= workers):
                return
        time.sleep(POLL_S)
    code = service.process.returncode
    found = f"was not ready within {LIMIT_S} s" if code is None else f"ended with code {code}"
    raise StartError(f"The service {found}: {service.process.args!r}; its log: {service.log}")
