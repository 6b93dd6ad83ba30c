"""Work that would block the event loop: on few threads, a bounded number at a time."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import ParamSpec, TypeVar

import anyio
import anyio.to_thread

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 2
QUEUE = 16  # orders that may wait for a thread; one more is refused at once
RETRY_AFTER_S = 1


class Overloaded(Exception):
    """There is more heavy work waiting than will be taken; answered with 503."""


class Workshop:
    """Takes heavy orders one after the other, so that light ones never wait behind them."""

    def __init__(
        self,
        threads: int = THREADS,
        queue: int = QUEUE,
        report: Callable[[int, int], None] = lambda _depth, _limit: None,
    ) -> None:
        self._limiter = anyio.CapacityLimiter(threads)
        self._threads, self._queue = threads, queue
        self._taken = 0
        self._report = report  # is told how many orders wait, and how many may
        self._count(0)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place for one order, for as long as it is worked on.

        Raises:
            Overloaded: all are taken.
        """
        if self._taken >= self._threads + self._queue:
            raise Overloaded
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        self._taken += change
        self._report(max(0, self._taken - self._threads), self._queue)

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do `work` on a thread and return its result.

        Raises:
            Overloaded: all places are taken.
        """
        async with self.place():
            return await anyio.to_thread.run_sync(
                lambda: work(*args, **kwargs), limiter=self._limiter
            )

    async def stream(self, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
        """The pieces of a long answer, each made on a thread when the one before is sent.

        Keeps one place from the first piece to the last, or until nobody takes them any more.

        Raises:
            Overloaded: all places are taken; before the first piece.
        """
        async with self.place():
            while True:
                piece = await anyio.to_thread.run_sync(next, pieces, None, limiter=self._limiter)
                if piece is None:
                    return
                yield piece
