"""What one worker counts, in memory that other processes can read.

Counting happens for every request, so it is plain additions to an array of float64: about a
microsecond a request where a metrics library takes ten times that. A worker that is alone keeps
the array to itself; one of several maps it to a file of a shared folder, which outlives it. A new
worker goes on in the file of a dead one: nothing that was counted is lost, no file is left over.
"""

import fcntl
import json
import mmap
import os
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from itertools import count, pairwise
from pathlib import Path
from time import perf_counter
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

OTHER = "other"  # every address that is none of ours: a client must not be able to add names
ROUTES = (
    OTHER,
    "/",
    "/dataset",
    "/docs",
    "/docs-assets",
    "/favicon.ico",
    "/generate",
    "/latent-map",
    "/livez",
    "/metrics",
    "/model",
    "/morph",
    "/openapi.json",
    "/page",
    "/readyz",
    "/restyle",
    "/service-worker.js",
)
PROBES = frozenset({"/livez", "/metrics", "/readyz"})
STAGES = ("noise", "decode", "compose", "encode")
NOISE, DECODE, COMPOSE, ENCODE = range(len(STAGES))
# Upper ends of the latency's buckets, in seconds; a last bucket holds what takes longer.
BUCKETS_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

# The array: gauges and counters of the worker, then one row for each route.
IN_FLIGHT, QUEUE_DEPTH, QUEUE_LIMIT = GAUGES = range(3)
DIGITS = 3
STAGE = 4
ROWS = STAGE + len(STAGES)
# A row: answers by status, answers by bucket of latency, seconds, bytes.
FIRST_STATUS, STATUSES = 100, 500
BUCKET = STATUSES
SECONDS = BUCKET + len(BUCKETS_S) + 1
BYTES = SECONDS + 1
ROW = BYTES + 1
CELLS = ROWS + len(ROUTES) * ROW
HEAD_BYTES = 512  # who counts, as JSON; before the array
SIZE = HEAD_BYTES + 8 * CELLS

_INDEX = {route: index for index, route in enumerate(ROUTES)}
_ROW_OF = {route: ROWS + index * ROW for route, index in _INDEX.items()}


@dataclass(frozen=True)
class Page:
    """What a ledger said when it was read."""

    worker: int  # counts from 0; a worker that takes the place of a dead one has its number
    alive: bool
    facts: dict[
        str, str
    ]  # who counts: pid, version, model, engine, precision; those that are known yet
    cells: NDArray[np.float64]  # (CELLS,)

    def rows(self) -> NDArray[np.float64]:
        """What was counted for each of `ROUTES`, (routes, ROW) float64."""
        return self.cells[ROWS:].reshape(len(ROUTES), ROW)


class Ledger:
    """Counts the requests, digits and seconds of one worker."""

    def __init__(
        self,
        memory: mmap.mmap | None = None,
        file: BinaryIO | None = None,
        folder: Path | None = None,
    ) -> None:
        self._memory = mmap.mmap(-1, SIZE) if memory is None else memory
        self._folder = folder
        self._file = file  # open as long as the worker lives: its lock says so
        self._cells = memoryview(self._memory)[HEAD_BYTES:].cast("d")
        self._lock = threading.Lock()  # drawing happens on threads too, answering does not
        self.facts: dict[str, str] = {}
        self.on_stage: Callable[[int, float, float], None] | None = None  # for traces
        for gauge in GAUGES:
            self._cells[gauge] = 0.0
        self.describe(pid=str(os.getpid()))

    def describe(self, **facts: str) -> None:
        """Say who counts here: version, model, engine, precision."""
        self.facts.update(facts)
        self._memory[:HEAD_BYTES] = json.dumps(self.facts).encode().ljust(HEAD_BYTES)

    def begin(self) -> None:
        """A request has arrived."""
        self._cells[IN_FLIGHT] += 1.0

    def end(self, route: str, status: int, seconds: float, size: int) -> None:
        """A request is answered.

        Args:
            route: one of `ROUTES`.
            status: HTTP status.
            seconds: from its arrival to the last byte of the answer.
            size: bytes of the answer's body.
        """
        cells, row = self._cells, _ROW_OF[route]
        cells[IN_FLIGHT] -= 1.0
        cells[row + status - FIRST_STATUS] += 1.0
        cells[row + BUCKET + bisect_left(BUCKETS_S, seconds)] += 1.0
        cells[row + SECONDS] += seconds
        cells[row + BYTES] += size

    def refuse(self, route: str, requests: int) -> None:
        """Some requests were refused with 503, in no time and with no bytes that count."""
        row = _ROW_OF[route]
        self._cells[row + HTTPStatus.SERVICE_UNAVAILABLE - FIRST_STATUS] += requests
        self._cells[row + BUCKET] += requests

    def lap(self, stage: int, began: float, digits: int = 0) -> float:
        """Add the time since `began` to a stage.

        Args:
            stage: `NOISE`, `DECODE`, `COMPOSE` or `ENCODE`.
            began: by `perf_counter`.
            digits: how many were drawn in it.
        Returns:
            The time now, where the next stage begins.
        """
        now = perf_counter()
        with self._lock:
            self._cells[STAGE + stage] += now - began
            self._cells[DIGITS] += digits
        if self.on_stage is not None:
            self.on_stage(stage, began, now)
        return now

    def line(self, digits: int, began: float, noise: float, decode: float, compose: float) -> None:
        """Some lines are drawn: four laps at once, for half their cost.

        Args:
            digits: on the lines.
            began: by `perf_counter`; then the ends of the stages, of which the last is now.
            noise: end of the first.
            decode: end of the second.
            compose: end of the third.
        """
        cells, now = self._cells, perf_counter()
        with self._lock:
            cells[DIGITS] += digits
            cells[STAGE] += noise - began
            cells[STAGE + 1] += decode - noise
            cells[STAGE + 2] += compose - decode
            cells[STAGE + 3] += now - compose
        if self.on_stage is not None:
            ends = (began, noise, decode, compose, now)
            for stage, span in enumerate(pairwise(ends)):
                self.on_stage(stage, *span)

    @contextmanager
    def stage(self, stage: int) -> Iterator[None]:
        """Add the time of a `with` block to a stage, where a microsecond does not matter."""
        began = perf_counter()
        yield
        self.lap(stage, began)

    def queue(self, depth: int, limit: int) -> None:
        """So many heavy orders wait now, of so many that may."""
        self._cells[QUEUE_DEPTH], self._cells[QUEUE_LIMIT] = depth, limit

    def close(self) -> None:
        """Leave its file to the next worker, as the end of the process does too."""
        if self._file is not None:
            self._file.close()

    def pages(self) -> list[Page]:
        """What is counted up to now: by this worker, or by all that share its folder."""
        if self._folder is None:
            return [_page(0, True, self._memory[:])]
        return read_ledgers(self._folder)


def route_of(path: str) -> str:
    """Which of `ROUTES` a path belongs to: itself, or what lies below it; else `OTHER`."""
    if path in _INDEX:
        return path
    top = "/" + path[1:].partition("/")[0]
    return top if top in _INDEX else OTHER


def open_ledger(folder: Path | None) -> Ledger:
    """A ledger for this process: in a folder that several workers share, or for itself alone.

    Raises:
        OSError: the folder cannot be written.
    """
    if folder is None:
        return Ledger()
    for worker in count():
        file = _path(folder, worker).open("a+b")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # its worker lives
            file.close()
            continue
        if os.fstat(file.fileno()).st_size != SIZE:  # new, or of another version
            file.truncate(0)
            file.truncate(SIZE)
        return Ledger(mmap.mmap(file.fileno(), SIZE), file, folder)
    raise AssertionError("count() has no end")


def read_ledgers(folder: Path) -> list[Page]:
    """The pages of all workers that count or have counted in a folder."""
    pages: list[Page] = []
    for worker in count():
        try:
            file = _path(folder, worker).open("rb")
        except FileNotFoundError:
            return pages
        with file:
            content = file.read()
            if len(content) == SIZE:
                pages.append(_page(worker, _is_held(file), content))
    raise AssertionError("count() has no end")


def _page(worker: int, alive: bool, content: bytes) -> Page:
    facts = json.loads(content[:HEAD_BYTES].rstrip(b"\0 ") or b"{}")
    return Page(worker, alive, facts, np.frombuffer(content, np.float64, CELLS, HEAD_BYTES))


def _is_held(file: BinaryIO) -> bool:
    """Whether a worker holds its file: the lock ends with the process, however it ends."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _path(folder: Path, worker: int) -> Path:
    return folder / f"{worker}.ledger"
