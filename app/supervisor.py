"""Several workers: started, replaced when one dies, ended together. Knows no HTTP."""

import logging
import multiprocessing
import multiprocessing.connection
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.context import SpawnProcess
from types import FrameType
from typing import Any

log = logging.getLogger("uvicorn.error")
SPAWN = multiprocessing.get_context("spawn")
TICK_S = 0.1
REST_S = 1  # between two starts in one place: who dies at once shall not take the whole machine
END_MARGIN_S = 5
END_SIGNALS = (signal.SIGINT, signal.SIGTERM)
RELOAD_SIGNALS = (signal.SIGHUP,) if hasattr(signal, "SIGHUP") else ()


class Supervisor:
    """Keeps a number of workers alive.

    SIGTERM and SIGINT are passed on and end all; a second one kills them. SIGHUP is passed on.
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
        self._workers = workers
        self._places: list[tuple[SpawnProcess, float]] = []  # process, when it was started

    def run(self) -> int:
        """Work until a signal; the exit code."""
        for number in (*END_SIGNALS, *RELOAD_SIGNALS):
            signal.signal(number, self._hear)
        self._places = [self._start() for _ in range(self._workers)]
        while True:
            multiprocessing.connection.wait(
                [process.sentinel for process, _ in self._places if process.is_alive()], TICK_S
            )
            for number in self._take_signals():
                self._send(number)
                if number in END_SIGNALS:
                    return self._end()
            if self._none_can_start():
                return self._start_failure
            self._places = [self._kept(*place) for place in self._places]

    def _hear(self, number: int, _: FrameType | None) -> None:
        self._signals.append(signal.Signals(number))

    def _take_signals(self) -> list[signal.Signals]:
        taken, self._signals = self._signals, []
        return taken

    def _start(self) -> tuple[SpawnProcess, float]:
        process = SPAWN.Process(target=self._target, args=self._arguments)
        process.start()
        return process, time.monotonic()

    def _kept(self, process: SpawnProcess, started: float) -> tuple[SpawnProcess, float]:
        """The worker of a place, or its successor."""
        if process.is_alive() or time.monotonic() < started + REST_S:
            return process, started
        log.error("Worker %d ended with %s; starting another.", process.pid, process.exitcode)
        return self._start()

    def _none_can_start(self) -> bool:
        return all(process.exitcode == self._start_failure for process, _ in self._places)

    def _send(self, number: signal.Signals) -> None:
        for process, _ in self._places:
            if process.is_alive() and process.pid is not None:
                os.kill(process.pid, number)

    def _end(self) -> int:
        """Wait for the workers; kill those that do not end in time, or all at a second signal."""
        limit = time.monotonic() + self._limit_s + END_MARGIN_S
        left = [process for process, _ in self._places if process.is_alive()]
        while left and time.monotonic() < limit and not set(self._signals) & set(END_SIGNALS):
            multiprocessing.connection.wait([process.sentinel for process in left], TICK_S)
            left = [process for process in left if process.is_alive()]
        for process in left:
            process.kill()
        for process, _ in self._places:
            process.join()
        return 1 if left else 0
