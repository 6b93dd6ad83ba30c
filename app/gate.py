"""How many requests may wait for the event loop; one more is refused at once, for little."""

import secrets
import time
from collections.abc import Callable
from http import HTTPStatus

from app.admission import RETRY_AFTER_S
from app.errors import problem_bytes
from app.ledger import PROBES as PROBE_ROUTES

STANDING = 2  # requests that may always wait
WINDOW_S = 0.02
PAUSE_S = 0.2  # without so many waiting: what comes then is a new burst
SHARE = 1 / 3  # of the requests of a window: when more are refused, the load is no burst
PROBES = frozenset(route.encode() for route in PROBE_ROUTES)
BUSY = f"More is asked of this service than it can do; come back in {RETRY_AFTER_S} s."


class Gate:
    """Counts the requests that are read but not begun, and refuses those that are too many.

    A burst is taken: `backlog` requests may wait. Where the load does not end, so that more than
    `SHARE` of it must be refused anyway, a long queue would only make everybody wait: then
    `STANDING` may, and who is answered is answered soon.
    """

    def __init__(self, backlog: int, unseen: Callable[[], None] = lambda: None) -> None:
        """Nothing waits yet.

        Args:
            backlog: requests that may wait while there is no overload.
            unseen: is told of each request that is refused before the application sees it.
        """
        self.backlog = max(backlog, STANDING)
        self.unseen = unseen
        self.draining = False  # the service is about to end: not ready, but it still answers
        self.refused = 0  # since the start
        self.waiting = 0  # read in this turn of the event loop, not begun
        self.turn = 0  # read in the last turn and begun in this one
        self._overloaded = False
        self._since = 0.0
        self._asked = self._turned_away = 0  # in this window

    def admit(self) -> bool:
        """Whether one more request may wait."""
        self._asked += 1
        if self.waiting >= STANDING and self.is_full():
            self._turned_away += 1
            self.refused += 1
            return False
        self.waiting += 1
        return True

    def is_full(self) -> bool:
        """Whether the next request will be refused."""
        elapsed = time.monotonic() - self._since
        if elapsed >= WINDOW_S:
            lasting = elapsed < PAUSE_S
            self._overloaded = lasting and self._turned_away > SHARE * self._asked
            self._since += elapsed
            self._asked = self._turned_away = 0
        return self.waiting >= (STANDING if self._overloaded else self.backlog)

    def begin(self) -> None:
        """The event loop begins with what was read: nothing waits any more."""
        self.turn, self.waiting = self.waiting, 0


def refusal() -> bytes:
    """The answer 503 as it goes over the wire: a small part of the cost of a drawing."""
    request_id = secrets.token_hex(8).encode()
    return request_id.join(PARTS)


def _refusal_parts() -> list[bytes]:
    """The answer around its two request ids."""
    mark = "0" * 16
    retry = (b"retry-after", b"%d" % RETRY_AFTER_S)
    status = HTTPStatus.SERVICE_UNAVAILABLE
    return problem_bytes(mark, status, BUSY, retry).split(mark.encode())


PARTS = _refusal_parts()
