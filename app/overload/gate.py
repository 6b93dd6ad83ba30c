"""Lets a bounded number of requests wait for the event loop; one more is refused, for little."""

import secrets
import time
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus
from itertools import count

from app.overload.pool import RETRY_AFTER_S
from app.overload.congestion import Congestion
from app.api.errors import problem_bytes
from app.telemetry.counters import PROBES as PROBE_ROUTES

PROBES = frozenset(route.encode() for route in PROBE_ROUTES)
BUSY = f"More is asked of this service than it can do; come back in {RETRY_AFTER_S} s."
Unseen = Callable[[str, int], None]


class Gate:
    """Counts the requests of each turn of the event loop: those that wait, those refused."""

    def __init__(
        self,
        backlog: int,
        unseen: Unseen = lambda _route, _requests: None,
        owed: Callable[[], int] = lambda: 0,
    ) -> None:
        """Nothing waits yet.

        Args:
            backlog: requests that may wait while there is no overload.
            unseen: is told how many requests of which route the application has not seen.
            owed: how many requests that have begun must still wait for their drawing.
        """
        self.unseen = unseen
        self.owed = owed
        self.draining = False  # the service is about to end: not ready, but it still answers
        self.refused = 0  # since the start
        self.is_open = False  # a turn has begun to read
        self.waiting = 0  # owed, or read in this turn and not begun
        self.limit = backlog  # of those
        self.turn = 0  # read in the last turn and begun in this one
        self._congestion = Congestion(backlog)
        self._owed = self._read = 0  # in this turn: at first; all requests
        self._unseen: Counter[str] = Counter()  # by route, in this turn
        self._request_ids = count(secrets.randbits(63))  # no secret: one costs less than a draw

    def open(self) -> None:
        """A turn begins to read."""
        self.is_open = True
        self.waiting = self._owed = self.owed()
        self.limit = self._congestion.open(time.monotonic(), self._owed)

    def admit(self) -> bool:
        """Whether one more request may wait."""
        self._read += 1
        if self.waiting >= self.limit:
            return False
        self.waiting += 1
        return True

    def refuse(self, route: str) -> bytes:
        """Count a request as refused, unseen by the application; the answer 503 for the wire."""
        self._read += 1
        self._unseen[route] += 1
        return (b"%016x" % next(self._request_ids)).join(PARTS)

    def begin(self) -> None:
        """The turn has read all that came, and begins with what was admitted."""
        self.is_open = False
        self.turn = self.waiting - self._owed
        refused = self._read - self.turn
        self._congestion.close(self._read, refused)
        self.refused += refused
        self._read = 0
        if self._unseen:
            for route, requests in self._unseen.items():
                self.unseen(route, requests)
            self._unseen.clear()


def _refusal_parts() -> list[bytes]:
    """The answer around its two request ids."""
    mark = "0" * 16
    retry = (b"retry-after", b"%d" % RETRY_AFTER_S)
    status = HTTPStatus.SERVICE_UNAVAILABLE
    return problem_bytes(mark, status, BUSY, retry).split(mark.encode())


PARTS = _refusal_parts()
