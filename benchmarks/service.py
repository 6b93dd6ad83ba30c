"""A service under measurement: started on one core, timed to its first digit."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from signal import SIGCONT, SIGSTOP, Signals

import psutil

from benchmarks.figure import Memory
from benchmarks.plan import Command
from benchmarks.wrk import Request
from harness import launcher
from harness.core import on_core


class MeasuredService:
    """A running service.

    Attributes:
        address: `http://127.0.0.1:port`.
        first_digit_s: seconds from the start of the process to the first digit.
    """

    def __init__(self, service: launcher.Service, first_digit_s: float) -> None:
        self.address = service.address
        self.first_digit_s = first_digit_s
        self._service = service
        self._process = psutil.Process(service.process.pid)

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

    def ask(self, request: Request) -> launcher.Answer:
        """The answer to one request."""
        return _ask(self._service, request)

    def pause(self) -> None:
        """Stop all its processes, so that it uses no processor time."""
        self._signal(SIGSTOP)

    def resume(self) -> None:
        """Continue after `pause`."""
        self._signal(SIGCONT)

    def _signal(self, number: Signals) -> None:
        for process in self._tree():
            process.send_signal(number)

    def _tree(self) -> list[psutil.Process]:
        return [*self._process.children(recursive=True), self._process]


@contextmanager
def running(command: Command, core: int | None, *options: str) -> Iterator[MeasuredService]:
    """A service from its first digit on.

    Args:
        command: how to start it.
        core: the only one that it runs on; None leaves the choice to the system.
        options: appended to the arguments.
    Raises:
        StartError: it did not draw.
    """

    def draws(service: launcher.Service) -> bool:
        return _ask(service, command.request).status == HTTPStatus.OK

    start = launcher.Command(command.arguments, draws, command.folder)
    with ExitStack() as stack:
        began = time.perf_counter()
        with on_core(core):
            service = stack.enter_context(
                launcher.running(
                    *options,
                    command=start,
                    keep_log=False,
                    OMP_NUM_THREADS="1",
                    BENTOML_DO_NOT_TRACK="True",
                )
            )
        measured = MeasuredService(service, time.perf_counter() - began)
        stack.callback(measured.resume)  # a stopped process does not react to SIGTERM
        yield measured


def _ask(service: launcher.Service, request: Request) -> launcher.Answer:
    headers = {**request.headers, "Content-Type": "application/json"}
    if request.json is None:
        return service.ask(request.path, "GET", headers)
    return service.ask(request.path, "POST", headers, request.json.encode())
