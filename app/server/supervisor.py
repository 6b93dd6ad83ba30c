"""Several workers: started, replaced when they die or hang, ended together. Knows no HTTP."""

import logging
import multiprocessing
import multiprocessing.connection
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.context import SpawnProcess
from types import FrameType

log = logging.getLogger("uvicorn.error")
SPAWN = multiprocessing.get_context("spawn")
TICK_S = 0.1
RESTART_S = 1  # minimum delay before a restart, so that a crash loop does not consume the machine
SETTLED_S = 10  # a worker that lives this long has started
HUNG_S = 30  # a worker whose event loop has not run for this long is replaced
END_MARGIN_S = 5
END_SIGNALS = (signal.SIGINT, signal.SIGTERM)
RELOAD_SIGNALS = (signal.SIGHUP,) if hasattr(signal, "SIGHUP") else ()


class Heart:
    """The time of the last sign of life of a worker, in memory that its supervisor shares."""

    def __init__(self) -> None:
        # Written by one process and read by another: a lock is not needed.
        self._beat_at = SPAWN.Value("d", time.monotonic(), lock=False)

    def beat(self) -> None:
        """Give a sign of life."""
        self._beat_at.value = time.monotonic()

    def age(self) -> float:
        """Seconds since the last sign of life."""
        age: float = time.monotonic() - self._beat_at.value
        return age


@dataclass
class Place:
    """A worker, and whether the one before it in this place failed to start."""

    process: SpawnProcess
    heart: Heart
    failed: bool = False
    started: float = field(default_factory=time.monotonic)


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
    ) -> None:
        """Nothing is started yet.

        Args:
            target: what a worker does; it can be pickled, and takes its `heart` by that name.
            workers: how many.
            limit_s: how long a worker may take to end, in seconds.
            start_failure: the exit code of a worker that cannot start.
            hung_s: see `HUNG_S`.
        """
        self._target, self._workers = target, workers
        self._limit_s, self._start_failure, self._hung_s = limit_s, start_failure, hung_s
        self._signals: list[signal.Signals] = []
        self._terminal = Terminal()
        self._places: list[Place] = []

    def run(self) -> int:
        """Work until a signal; the exit code."""
        for number in (*END_SIGNALS, *RELOAD_SIGNALS):
            signal.signal(number, self._receive)
        self._places = [self._start() for _ in range(self._workers)]
        while True:
            self._wait_for(self._alive())
            for number in self._take_signals():
                self._send(number)
                if number in END_SIGNALS:
                    return self._end()
            for place in self._places:
                place.failed |= place.process.exitcode == self._start_failure
            if all(place.failed for place in self._places):
                self._send(signal.SIGTERM)
                self._end()
                return self._start_failure
            self._places = [self._maintained(place) for place in self._places]

    def _receive(self, number: int, _: FrameType | None) -> None:
        if number in RELOAD_SIGNALS and self._terminal.is_closed():
            number = signal.SIGTERM
        self._signals.append(signal.Signals(number))

    def _take_signals(self) -> list[signal.Signals]:
        taken, self._signals = self._signals, []
        return taken

    def _start(self, failed: bool = False) -> Place:
        heart = Heart()
        process = SPAWN.Process(target=self._target, kwargs={"heart": heart})
        process.start()
        return Place(process, heart, failed)

    def _maintained(self, place: Place) -> Place:
        """The place with its worker, or with a new one."""
        process, age = place.process, time.monotonic() - place.started
        if process.is_alive():
            if place.heart.age() > self._hung_s:
                log.error("Worker %d hangs; killing it.", process.pid)
                process.kill()
            place.failed &= age < SETTLED_S
            return place
        if age < RESTART_S:
            return place
        log.error("Worker %d ended with %s; starting another.", process.pid, process.exitcode)
        return self._start(place.failed)

    def _alive(self) -> list[SpawnProcess]:
        return [place.process for place in self._places if place.process.is_alive()]

    def _wait_for(self, processes: list[SpawnProcess]) -> None:
        """Wait a tick, or until one of them has ended."""
        if processes:
            multiprocessing.connection.wait([one.sentinel for one in processes], TICK_S)
        else:
            time.sleep(TICK_S)

    def _send(self, number: signal.Signals) -> None:
        for process in self._alive():
            if process.pid is not None:
                os.kill(process.pid, number)

    def _end(self) -> int:
        """Wait for the workers; kill those that exceed the limit, or all at a second signal."""
        limit = time.monotonic() + self._limit_s + END_MARGIN_S
        while (left := self._alive()) and time.monotonic() < limit:
            if set(self._signals) & set(END_SIGNALS):
                break
            self._wait_for(left)
        for process in left:
            process.kill()
        for place in self._places:
            place.process.join()
        return 1 if left else 0


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
