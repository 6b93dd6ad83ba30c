"""What one worker counts, in memory that other processes can read.

Counting happens for every request, so it is plain additions to an array of float64. A single
worker keeps the array to itself; one of several maps it to a file in a shared folder, which
outlives it. A new worker continues in the file of a dead one: no count is lost, no file is left.
"""

import fcntl
import json
import mmap
import os
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import count, pairwise
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from app.settings import SettingError
from app.telemetry.route import RouteNames

STAGES = ("noise", "decode", "compose", "encode")
# Upper ends of the buckets of latency, in seconds; a last bucket counts slower requests.
BUCKETS_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

# The array: gauges and counters of the worker, then one row for each route.
IN_FLIGHT, QUEUE_DEPTH, QUEUE_LIMIT = GAUGES = range(3)
DIGITS = 3
LINES_DROPPED = 4
STAGE = 5
ROWS = STAGE + len(STAGES)
# A row: answers by status, answers by bucket of latency, seconds, bytes.
FIRST_STATUS, STATUSES = 100, 500
BUCKET = STATUSES
SECONDS = BUCKET + len(BUCKETS_S) + 1
BYTES = SECONDS + 1
ROW = BYTES + 1
HEAD_BYTES = 2048  # before the array: the routes and the facts as JSON

Cells = NDArray[np.float64]


@dataclass(frozen=True)
class Reading:
    """The counts of a worker at one moment.

    Attributes:
        worker: counts from 0; a worker that replaces a dead one has its number.
        alive: whether it still runs.
        facts: about the worker: pid, version, model, engine, precision.
        cells: (ROWS,) its gauges, digits, dropped lines and stages.
        rows: (ROW,) for each route.
    """

    worker: int
    alive: bool
    facts: dict[str, str]
    cells: Cells
    rows: dict[str, Cells]


class Counters:
    """Counts the requests, digits and seconds of one worker."""

    def __init__(
        self, routes: Iterable[str] = (), file: BinaryIO | None = None, folder: Path | None = None
    ) -> None:
        """Continue the counts of a file, or begin at 0 in memory of this process alone.

        Args:
            routes: paths of the application's routes.
            file: of the right size, and locked as long as the worker lives.
            folder: of the file, shared with other workers.
        """
        self.routes = RouteNames(routes)
        size = _size(self.routes.names)
        self._memory = mmap.mmap(-1 if file is None else file.fileno(), size)
        self._file, self._folder = file, folder
        self._cells = memoryview(self._memory)[HEAD_BYTES:].cast("d")
        self._lock = threading.Lock()  # drawing happens on threads too, answering does not
        self.facts: dict[str, str] = {}
        self.on_stage: Callable[[int, float, float], None] | None = None  # for traces
        for gauge in GAUGES:
            self._cells[gauge] = 0.0
        self.describe(pid=str(os.getpid()))

    def describe(self, **facts: str) -> None:
        """Add facts about the worker: version, model, engine, precision."""
        self.facts.update(facts)
        head = json.dumps({"routes": self.routes.names, "facts": self.facts}).encode()
        self._memory[:HEAD_BYTES] = head.ljust(HEAD_BYTES)

    def begin(self) -> None:
        """A request has arrived."""
        self._cells[IN_FLIGHT] += 1.0

    def end(self, route: int, status: int, seconds: float, size: int) -> None:
        """A request is answered.

        Args:
            route: index of its name in `routes`.
            status: HTTP status.
            seconds: from its arrival to the last byte of the answer.
            size: bytes of the body of the answer.
        """
        cells, row = self._cells, ROWS + route * ROW
        cells[IN_FLIGHT] -= 1.0
        cells[row + status - FIRST_STATUS] += 1.0
        cells[row + BUCKET + bisect_left(BUCKETS_S, seconds)] += 1.0
        cells[row + SECONDS] += seconds
        cells[row + BYTES] += size

    def refuse(self, route: int) -> None:
        """A request is refused with 503 before the application saw it, in no time.

        Args:
            route: index of its name in `routes`.
        """
        row = ROWS + route * ROW
        self._cells[row + HTTPStatus.SERVICE_UNAVAILABLE - FIRST_STATUS] += 1.0
        self._cells[row + BUCKET] += 1.0

    def add_drawing(self, digits: int, moments: Sequence[float]) -> None:
        """Something is drawn.

        Args:
            digits: how many were decoded.
            moments: `perf_counter` times: the start, and the end of each of `STAGES`.
        """
        cells = self._cells
        start, noise, decode, compose, encode = moments
        with self._lock:
            cells[DIGITS] += digits
            cells[STAGE] += noise - start
            cells[STAGE + 1] += decode - noise
            cells[STAGE + 2] += compose - decode
            cells[STAGE + 3] += encode - compose
        if self.on_stage is not None:
            for stage, (began, ended) in enumerate(pairwise(moments)):
                if ended > began:
                    self.on_stage(stage, began, ended)

    def drop_lines(self, lines: int) -> None:
        """Lines of the log are dropped."""
        with self._lock:
            self._cells[LINES_DROPPED] += lines

    def queue(self, depth: int, limit: int) -> None:
        """The number of heavy drawings that wait, and of those that may."""
        self._cells[QUEUE_DEPTH], self._cells[QUEUE_LIMIT] = depth, limit

    def close(self) -> None:
        """Leave the file to the next worker, as the end of the process does too."""
        if self._file is not None:
            fcntl.flock(self._file, fcntl.LOCK_UN)  # the mapping keeps the file open
            self._file.close()

    def readings(self) -> list[Reading]:
        """The counts up to now, of this worker or of all that share its folder."""
        if self._folder is not None:
            return read_counters(self._folder)
        reading = _reading(0, True, self._memory[:])
        return [] if reading is None else [reading]


def open_counters(folder: Path | None, routes: Iterable[str]) -> Counters:
    """The counters of this process.

    Args:
        folder: shared with other workers; None for a single worker.
        routes: paths of the application's routes.
    Raises:
        SettingError: the folder cannot be used.
    """
    if folder is None:
        return Counters(routes)
    paths = list(routes)
    try:
        return Counters(paths, _take_file(folder, RouteNames(paths).names), folder)
    except OSError as error:
        raise SettingError(
            f"The metrics folder {folder} cannot be used: {error.strerror}; set "
            "CVAE_METRICS_FOLDER to a folder that exists and can be written."
        ) from error


def read_counters(folder: Path) -> list[Reading]:
    """The counts of all workers, past and present, that share a folder."""
    readings = []
    for worker in count():
        try:
            file = _path(folder, worker).open("rb")
        except FileNotFoundError:
            break
        with file:
            readings.append(_reading(worker, _is_locked(file), file.read()))
    return [reading for reading in readings if reading is not None]


def _take_file(folder: Path, routes: tuple[str, ...]) -> BinaryIO:
    """The first file of the folder that no living worker holds, ready to be mapped."""
    for worker in count():
        file = _path(folder, worker).open("a+b")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            continue
        file.seek(0)
        reading = _reading(worker, True, file.read())
        if reading is None or tuple(reading.rows) != routes:  # new, or of another version
            file.truncate(0)
        _allocate(file, _size(routes))
        return file
    raise AssertionError("count() has no end")


def _allocate(file: BinaryIO, size: int) -> None:
    """Give a file its size and its room, which a new file gets as zeros.

    If a full disk had no room for a page of a mapped file, writing to it would kill the process.
    """
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)
    elif file.seek(0, os.SEEK_END) < size:  # macOS
        file.write(bytes(size))
        file.flush()


def _reading(worker: int, alive: bool, content: bytes) -> Reading | None:
    """What a file says; None if its worker has only begun, or is of another version."""
    try:
        head = json.loads(content[:HEAD_BYTES])
        routes, facts = head["routes"], head["facts"]
        if len(content) != _size(routes):
            return None
    except (ValueError, TypeError, KeyError, RecursionError):  # the file may be anybody's
        return None
    cells = np.frombuffer(content, np.float64, offset=HEAD_BYTES)
    rows = cells[ROWS:].reshape(-1, ROW)
    return Reading(worker, alive, facts, cells[:ROWS], dict(zip(routes, rows, strict=True)))


def _is_locked(file: BinaryIO) -> bool:
    """Whether a worker holds its file: the lock ends with the process, however it ends."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _path(folder: Path, worker: int) -> Path:
    return folder / f"{worker}.counters"


def _size(routes: Sequence[str]) -> int:
    """Bytes of the memory of a worker."""
    return HEAD_BYTES + 8 * (ROWS + len(routes) * ROW)
