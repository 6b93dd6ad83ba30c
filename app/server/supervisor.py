"""Several workers: started, replaced when they die or hang, ended together. Knows no HTTP."""

import logging
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from ctypes import c_ulonglong
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from tempfile import gettempdir
from types import FrameType
from typing import TYPE_CHECKING

from app.server.start import HANGUPS, holding_hangups

if TYPE_CHECKING:  # one of them does not exist on every system
    from multiprocessing.context import ForkServerContext, SpawnContext

log = logging.getLogger("uvicorn.error")
TICK_S = 0.1
RESTART_S = 1  # minimum delay before a restart, so that a crash loop does not consume the machine
SETTLED_S = 10  # a worker that lives this long has started
FAILURES = 5  # after so many in a row that ended before serving, no other is started
HUNG_S = 30  # a worker whose event loop has not run for this long is replaced
END_MARGIN_S = 5
SAFE_PATH = "PYTHONSAFEPATH"  # a variable of Python
END_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass
class Place:
    """A worker and what is known about it; a new worker takes the place of a dead one."""

    process: BaseProcess
    beats: c_ulonglong  # raised by the worker; 0 while it starts or shuts down
    failures: int  # workers of this place in a row that ended before they could serve
    started: float = field(default_factory=time.monotonic)
    heard: int = 0  # the last beats
    silent_s: float = 0  # for how long they have been the same
    ended: bool = False  # whether its end is counted

    def listen(self) -> None:
        """Listen for a beat, once a tick.

        Ticks are counted, not time: the machine, or the whole service, may have been stopped.
        """
        before, now = self.heard, self.beats.value
        self.heard = now or before  # not 0 any more once it could serve
        self.silent_s = self.silent_s + TICK_S if before == now != 0 else 0


class Supervisor:
    """Keeps a number of workers alive.

    SIGTERM and SIGINT are passed on and end all workers; a second one kills them. SIGHUP is
    passed on as a request to reload, unless the terminal was closed, which ends all workers too.
    """

    def __init__(
        self,
        target: Callable[..., None],
        workers: int,
        limit_s: float,
        start_failure: int,
        hung_s: float = HUNG_S,
        imports: Sequence[str] = (),
    ) -> None:
        """Nothing is started yet.

        Args:
            target: what a worker does; it can be pickled, and takes its `beats` by that name.
            workers: how many.
            limit_s: how long a worker may take to end, in seconds.
            start_failure: the exit code of a worker that cannot start.
            hung_s: see `HUNG_S`.
            imports: the packages that workers share.
        """
        self._target, self._workers = target, workers
        self._context = _context(imports)
        self._limit_s, self._start_failure, self._hung_s = limit_s, start_failure, hung_s
        self._signals: list[int] = []
        self._terminal = Terminal()
        self._places: list[Place] = []

    def run(self) -> int:
        """Work until a signal; the exit code."""
        for known in (*END_SIGNALS, *HANGUPS):
            signal.signal(known, self._receive)
        self._places = [self._start() for _ in range(self._workers)]
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANGUPS)
        while True:
            time.sleep(TICK_S)
            while self._signals:
                number = self._signals.pop(0)
                self._send(number)
                if number in END_SIGNALS:
                    return self._end()
            for place in self._places:
                self._judge(place)
            if all(place.failures >= FAILURES for place in self._places):
                log.error("No worker can start; the service ends.")
                self._send(signal.SIGTERM)
                self._end()
                return self._start_failure
            self._places = [self._maintained(place) for place in self._places]

    def _receive(self, number: int, _: FrameType | None) -> None:
        closed = number in HANGUPS and self._terminal.is_closed()
        self._signals.append(signal.SIGTERM if closed else number)

    def _judge(self, place: Place) -> None:
        """Count a worker that has ended before it could serve."""
        code = place.process.exitcode
        if code is not None and not place.ended:
            place.ended = True
            if code == self._start_failure:  # it has given the reason, which will not go away
                place.failures = FAILURES
            elif not place.heard:
                place.failures += 1

    def _start(self, failures: int = 0) -> Place:
        beats = self._context.RawValue(c_ulonglong, 0)  # needs no lock: only one process writes it
        process = self._context.Process(target=self._target, kwargs={"beats": beats})
        with holding_hangups(), _safe_path():  # the first until the worker can reload
            process.start()
        return Place(process, beats, failures)

    def _maintained(self, place: Place) -> Place:
        """The place with its worker, or with a new one."""
        process, age = place.process, time.monotonic() - place.started
        if process.is_alive():
            place.listen()
            if place.silent_s > self._hung_s:
                log.error("Worker %d hangs; killing it.", process.pid)
                process.kill()
                place.silent_s = 0
            if age >= SETTLED_S:
                place.failures = 0
            return place
        if age < RESTART_S:
            return place
        log.error("Worker %d ended with %s; starting another.", process.pid, process.exitcode)
        return self._start(place.failures)

    def _alive(self) -> list[BaseProcess]:
        return [place.process for place in self._places if place.process.is_alive()]

    def _send(self, number: int) -> None:
        for process in self._alive():
            if process.pid is not None:
                os.kill(process.pid, number)

    def _end(self) -> int:
        """Wait for the workers; kill those that exceed the limit, or all at a second signal."""
        limit = time.monotonic() + self._limit_s + END_MARGIN_S
        while (left := self._alive()) and time.monotonic() < limit:
            if set(self._signals) & set(END_SIGNALS):
                break
            time.sleep(TICK_S)
        for process in left:
            process.kill()
        for place in self._places:
            place.process.join()
        return 1 if left else 0


def _context(imports: Sequence[str]) -> "ForkServerContext | SpawnContext":
    """How workers are started.

    On Linux they are forked from a server, which has imported what they need and does nothing else,
    so that they share most of their memory. Other systems do not fork safely.

    Args:
        imports: names of the packages.
    """
    if sys.platform != "linux" or not _has_temporary_folder():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(imports))
    return context


def _has_temporary_folder() -> bool:
    """Whether there is a place for the socket of the server."""
    try:
        return bool(gettempdir())
    except FileNotFoundError:
        return False


@contextmanager
def _safe_path() -> Iterator[None]:
    """While entered, a Python that is started imports nothing from the current folder."""
    before = os.environ.get(SAFE_PATH)
    os.environ[SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[SAFE_PATH]
        else:
            os.environ[SAFE_PATH] = before


class Terminal:
    """The terminal from which the service was started.

    Tells a SIGHUP that asks for a reload from the SIGHUP of a closed terminal.
    """

    def __init__(self) -> None:
        self._had_one = _has_terminal()

    def is_closed(self) -> bool:
        """Whether there was a terminal at the start, and there is none any more."""
        return self._had_one and not _has_terminal()


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True
