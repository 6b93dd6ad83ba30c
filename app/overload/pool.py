"""Heavy work on a few threads, so that the event loop never waits for it; bounded in number."""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any, ParamSpec, TypeVar

from app.overload import ClientGone, Overloaded

P = ParamSpec("P")
T = TypeVar("T")

NICENESS = 10  # of the threads, from 0 (usual) to 19 (lowest priority)


class Slots:
    """A fixed number of slots, each taken at once or not at all, from any thread."""

    def __init__(self, number: int, report: Callable[[int], None] = lambda _taken: None) -> None:
        """All slots are free.

        Args:
            number: of slots.
            report: called with the number of slots taken, whenever it changes.
        """
        self._number = number
        self._taken = 0
        self._lock = threading.Lock()
        self._report = report
        report(0)

    def take(self, begun: bool = False) -> None:
        """Take a slot.

        Args:
            begun: whether the work has begun, and goes on even where there are more than slots.
        Raises:
            Overloaded: all are taken.
        """
        with self._lock:
            if self._taken >= self._number and not begun:
                raise Overloaded
            self._taken += 1
            self._report(self._taken)

    def release(self, *_: object) -> None:
        """Release a slot. Ignores its arguments, so that it can be a callback."""
        with self._lock:
            self._taken -= 1
            self._report(self._taken)


class BoundedPool:
    """A thread pool with a bounded queue. When it is full, it refuses work at once.

    Work keeps its slot until its thread has finished, even if its caller was cancelled.
    """

    def __init__(
        self,
        threads: int,
        queue: int,
        report: Callable[[int, int], None] = lambda _depth, _limit: None,
    ) -> None:
        """No work yet.

        Args:
            threads: number of threads.
            queue: how much work may wait for them.
            report: called with the length of the queue and its limit, whenever that changes.
        """
        self._executor = ThreadPoolExecutor(threads, "heavy", _lower_priority)
        self._slots = Slots(threads + queue, lambda taken: report(max(0, taken - threads), queue))

    async def run(
        self,
        gone: Coroutine[Any, Any, None],
        work: Callable[P, T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """The result of `work`, done on a thread. Work in the queue is dropped with its client.

        Args:
            gone: ends when the client has closed its connection.
            work: what to do.
            args: for the work.
            kwargs: for the work.
        Raises:
            Overloaded: all slots are taken.
            ClientGone: the client left before the work was done.
        """
        client = asyncio.ensure_future(gone)
        try:
            return await self._result(client, partial(work, *args, **kwargs))
        finally:
            client.cancel()

    async def _result(self, client: asyncio.Future[None], work: Callable[[], T]) -> T:
        self._slots.take()
        # The work runs in the context of its request, for the sake of its trace.
        future = self._executor.submit(copy_context().run, work)
        future.add_done_callback(self._slots.release)
        result = asyncio.wrap_future(future)
        try:
            either: tuple[asyncio.Future[Any], ...] = (result, client)
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not result.done():
                raise ClientGone
            return result.result()
        finally:
            result.cancel()

    def close(self) -> None:
        """Drop the work that waits, and end each thread when it has finished its work."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def stream(self, pieces: Iterator[T]) -> AsyncIterator[T]:
        """The pieces of a long answer. Each is made on a thread once the last one was sent.

        Holds a slot while a piece waits or is made, and not while it is sent: a client that reads
        slowly keeps others from nothing.

        Raises:
            Overloaded: all slots are taken; before the first piece.
        """
        self._slots.take()
        while (piece := await asyncio.wrap_future(self._submit_next(pieces))) is not None:
            yield piece
            self._slots.take(begun=True)

    def _submit_next(self, pieces: Iterator[T]) -> Future[T | None]:
        future = self._executor.submit(copy_context().run, partial(next, pieces, None))
        future.add_done_callback(self._slots.release)
        return future


def _lower_priority() -> None:
    """Lower the priority of this thread, because light requests need the processor sooner.

    Only Linux has a priority for each thread.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        # Raising a priority would need a privilege, so an already lower one is kept.
        niceness = max(NICENESS, os.getpriority(os.PRIO_PROCESS, thread))
        os.setpriority(os.PRIO_PROCESS, thread, niceness)
