"""Bounds the requests that wait for the event loop.

A burst is queued. When the queue is full the service is overloaded, and a queue would only make
every request slow: from then on none may wait, and only part of a batch begins in each iteration of
the loop; the rest of its time goes to refusals. After a window in which hardly any had to be
refused, one may wait, then two, four, and so on. Latency of accepted requests stays low.

The idea of a short queue under a standing overload is that of CoDel
(Nichols & Jacobson, "Controlling Queue Delay", ACM Queue 10(5), 2012).
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from app.overload import Overloaded
from app.overload.batcher import MAX_ROOM

WINDOW_S = 0.02
REFUSED_SHARE = 0.2  # of the requests of a window; with fewer refused, more may wait
CALM_S = 1  # after a pause this long, a past overload does not count
BURST = 16  # requests that may wait, however long each of them takes
PART = 4  # divisor: under overload a quarter of a batch begins per iteration of the loop


class Limit:
    """Decides which requests begin, which wait, and which are refused; for one event loop."""

    def __init__(
        self,
        backlog: int,
        room: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """No requests yet.

        Args:
            backlog: number of requests that may wait while there is no overload.
            room: number of requests that may begin in one iteration of the event loop.
            clock: seconds.
        """
        self._backlog, self._room, self._clock = backlog, room, clock
        self._queue: deque[asyncio.Future[None]] = deque()
        self._bound = backlog  # on the length of the queue
        self._begun = 0  # in this iteration of the loop
        self._ticking = False  # whether `_tick` will run in the next iteration
        self._window_began = clock()
        self._arrived = self._refused = 0  # in this window

    @property
    def waiting(self) -> int:
        """Number of requests that wait."""
        return len(self._queue)

    def enter(self) -> asyncio.Future[None] | None:
        """Admit a request. It may begin at once if there is no result, else when that is done.

        Raises:
            Overloaded: too many requests wait already.
        """
        self._arrived += 1
        if not self._queue and self._begun < self._may_begin():
            self._begun += 1
            self._tick_soon()
            return None
        if len(self._queue) >= min(self._bound, self._most()):
            self._refused += 1
            self._bound = 0
            raise Overloaded
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        return turn

    def _tick_soon(self) -> None:
        if not self._ticking:
            self._ticking = True
            asyncio.get_running_loop().call_soon(self._tick)

    def _tick(self) -> None:
        """A new iteration of the event loop: let the next requests begin."""
        self._ticking = False
        self._adapt(self._clock())
        self._begun, room = 0, self._may_begin()
        while self._queue and self._begun < room:
            turn = self._queue.popleft()
            if not turn.done():  # cancelled with its request
                turn.set_result(None)
                self._begun += 1
        if self._begun:
            self._tick_soon()

    def _adapt(self, now: float) -> None:
        """At the end of a window, decide how many may wait in the next."""
        age = now - self._window_began
        if age < WINDOW_S:
            return
        if age >= CALM_S:
            self._bound = self._backlog
        elif self._refused > REFUSED_SHARE * self._arrived:
            self._bound = 0
        else:
            self._bound = min(self._backlog, max(1, 2 * self._bound))
        self._window_began, self._arrived, self._refused = now, 0, 0

    def _most(self) -> int:
        """How many may wait while there is no overload: fewer if each takes long."""
        return min(self._backlog, max(BURST, self._backlog * self._room() // MAX_ROOM))

    def _may_begin(self) -> int:
        """How many requests may begin in this iteration of the loop."""
        return self._room() if self._bound else max(1, self._room() // PART)
