"""How many requests may wait for the event loop; one more is refused at once, for little."""

import secrets
import time
from collections.abc import Callable
from http import HTTPStatus
from itertools import count

from app.admission import RETRY_AFTER_S
from app.errors import problem_bytes
from app.ledger import PROBES as PROBE_ROUTES

STANDING = 6  # requests that may wait under overload: drawn together in about a millisecond
CROWD = 16  # so many were read in the last turn: it is refused on until there are fewer
WINDOW_S = 0.02
SHARE = 0.2  # of the requests of a window: when no more are refused, more may wait
PROBES = frozenset(route.encode() for route in PROBE_ROUTES)
BUSY = f"More is asked of this service than it can do; come back in {RETRY_AFTER_S} s."


class Gate:
    """Counts the requests that are read but not begun, and refuses those that are too many.

    A turn of the event loop first reads what has come, then draws what was admitted. A burst is
    taken: `backlog` requests may wait. When that is not enough, a long queue would only make
    everybody wait: then `STANDING` may, and twice as many after each window in which hardly any
    had to be refused. Of a load that is many times what can be drawn, most of a turn goes into
    refusing, and who was admitted would wait for all that: so nobody is until a turn has caught
    up. Who is answered is answered soon.
    """

    def __init__(self, backlog: int, unseen: Callable[[int], None] = lambda _: None) -> None:
        """Nothing waits yet.

        Args:
            backlog: requests that may wait while there is no overload.
            unseen: is told how many requests were refused before the application saw them.
        """
        self.backlog = backlog
        self.unseen = unseen
        self.draining = False  # the service is about to end: not ready, but it still answers
        self.refused = 0  # since the start
        self.is_open = False  # a turn has begun to read
        self.waiting = 0  # read in this turn of the event loop, not begun
        self.limit = self.backlog  # of those
        self.turn = 0  # read in the last turn and begun in this one
        self._read = self._unseen = 0  # in this turn: all requests; those refused unseen
        self._request_ids = count(secrets.randbits(63))  # no secret: one costs less than a draw
        self._overloaded = False
        self._least = min(STANDING, backlog)
        self._standing = backlog  # that may wait, but for a crowd
        self._crowded = False  # the last turn
        self._admitted_at = 0.0
        self._window_began = 0.0
        self._window_read = self._window_refused = 0

    def open(self) -> None:
        """A turn begins to read: how many of its requests may wait."""
        now = time.monotonic()
        if self._overloaded:
            self._look_back(now)
        if self._crowded and now - self._admitted_at < WINDOW_S:
            self.limit = 0
        else:
            self.limit = self._standing
            self._admitted_at = now
        self.is_open = True

    def admit(self) -> bool:
        """Whether one more request may wait."""
        self._read += 1
        if self.waiting >= self.limit:
            return False
        self.waiting += 1
        return True

    def refuse(self) -> bytes:
        """Count a request as refused, unseen by the application; the answer 503 for the wire."""
        self._read += 1
        self._unseen += 1
        return (b"%016x" % next(self._request_ids)).join(PARTS)

    def begin(self) -> None:
        """The turn has read all that came, and begins with what was admitted: nothing waits."""
        refused = self._read - self.waiting
        self.refused += refused
        self._window_read += self._read
        self._window_refused += refused
        self._crowded = self._overloaded and self._read >= CROWD
        if refused and not self._overloaded:
            self._overloaded, self._standing = True, self._least
            self._begin_window(time.monotonic())
        if self._unseen:
            self.unseen(self._unseen)
        self.turn, self.waiting = self.waiting, 0
        self._read = self._unseen = 0
        self.is_open = False

    def _look_back(self, now: float) -> None:
        """When a window is over: let more wait, or again as few as at first."""
        calm = int((now - self._window_began) / WINDOW_S)  # windows
        if not calm:
            return
        if self._window_refused > SHARE * self._window_read:
            self._standing, calm = self._least, calm - 1
        self._standing = min(self.backlog, self._standing << min(calm, 16))
        self._overloaded = not calm or self._standing < self.backlog
        self._crowded = self._crowded and self._overloaded
        self._begin_window(now)

    def _begin_window(self, now: float) -> None:
        self._window_began = now
        self._window_read = self._window_refused = 0


def _refusal_parts() -> list[bytes]:
    """The answer around its two request ids."""
    mark = "0" * 16
    retry = (b"retry-after", b"%d" % RETRY_AFTER_S)
    status = HTTPStatus.SERVICE_UNAVAILABLE
    return problem_bytes(mark, status, BUSY, retry).split(mark.encode())


PARTS = _refusal_parts()
