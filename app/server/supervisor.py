"""Several workers: started, replaced when one dies, ended together. Knows no HTTP."""

import logging
import multiprocessing
import multiprocessing.connection
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.context import SpawnProcess
from types import FrameType
from typing import Any

from app.server.terminal import Terminal

log = logging.getLogger("uvicorn.error")
SPAWN = multiprocessing.get_context("spawn")
TICK_S = 0.1
REST_S = 1  # between two starts in one place: who dies at once shall not take the whole machine
SETTLED_S = 10  # a worker that lives longer has started
END_MARGIN_S = 5
END_SIGNALS = (signal.SIGINT, signal.SIGTERM)
RELOAD_SIGNALS = (signal.SIGHUP,) if hasattr(signal, "SIGHUP") else ()


@dataclass
class Place:
    """A worker and what became of the one before it.

    Attributes:
        started: when, in seconds of the monotonic clock.
        failed: whether the last one here could not start.
    """

    process: SpawnProcess
    started: float
    failed: bool = False


class Supervisor:
    """Keeps a number of workers alive.

    SIGTERM and SIGINT are passed on and end all; a second one kills them. SIGHUP is passed on,
    unless the terminal was closed, which ends all too.
    """

    def __init__(
        self,
        target: Callable[..., None],
        arguments: tuple[Any, ...],
        workers: int,
        limit_s: float,
        start_failure: int,
    ) -> None:
        """Nothing is started yet.

        Args:
            target: what a worker does; importable by name.
            arguments: of `target`.
            workers: how many.
            limit_s: in which an asked worker ends by itself.
            start_failure: the exit code of a worker that cannot even start.
        """
        self._target, self._arguments = target, arguments
        self._limit_s, self._start_failure = limit_s, start_failure
        self._signals: list[signal.Signals] = []
        self._terminal = Terminal()
        self._workers = workers
        self._places: list[Place] = []

    def run(self) -> int:
        """Work until a signal; the exit code."""
        for number in (*END_SIGNALS, *RELOAD_SIGNALS):
            signal.signal(number, self._hear)
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
            self._places = [self._kept(place) for place in self._places]

    def _hear(self, number: int, _: FrameType | None) -> None:
        if number in RELOAD_SIGNALS and self._terminal.is_closed():
            number = signal.SIGTERM
        self._signals.append(signal.Signals(number))

    def _take_signals(self) -> list[signal.Signals]:
        taken, self._signals = self._signals, []
        return taken

    def _start(self, failed: bool = False) -> Place:
        process = SPAWN.Process(target=self._target, args=self._arguments)
        process.start()
        return Place(process, time.monotonic(), failed)

    def _kept(self, place: Place) -> Place:
        """The place with its worker, or with a successor."""
        age = time.monotonic() - place.started
        if place.process.is_alive():
            place.failed &= age < SETTLED_S
            return place
        if age < REST_S:
            return place
        code = place.process.exitcode
        log.error("Worker %d ended with %s; starting another.", place.process.pid, code)
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
        """Wait for the workers; kill those that do not end in time, or all at a second signal."""
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
