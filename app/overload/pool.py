"""Work that would block the event loop: on few threads, a bounded number at a time."""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

from starlette.types import Receive

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 2
QUEUE = 16  # orders that may wait for a thread; one more is refused at once
RETRY_AFTER_S = 1
NICENESS = 10  # of the threads for heavy work, where 0 is usual and 19 the most


class Overloaded(Exception):
    """There is more heavy work waiting than will be taken; answered with 503."""


class ClientGone(Exception):
    """The client has closed its connection: nobody waits for the answer any more."""


class Places:
    """A number of places that are taken at once or not at all, from any thread."""

    def __init__(self, number: int, report: Callable[[int], None] = lambda _taken: None) -> None:
        self._number = number
        self._taken = 0
        self._turn = threading.Lock()
        self._report = report  # is told how many are taken
        report(0)

    def take(self) -> None:
        """Take one.

        Raises:
            Overloaded: all are taken.
        """
        with self._turn:
            if self._taken >= self._number:
                raise Overloaded
            self._taken += 1
            self._report(self._taken)

    def give_back(self, *_: object) -> None:
        """Give one back."""
        with self._turn:
            self._taken -= 1
            self._report(self._taken)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold one.

        Raises:
            Overloaded: all are taken.
        """
        self.take()
        try:
            yield
        finally:
            self.give_back()


class Workshop:
    """Takes heavy orders one after the other, so that light ones never wait behind them.

    An order keeps its place until its thread is done with it, whatever became of who gave it.
    """

    def __init__(
        self,
        threads: int = THREADS,
        queue: int = QUEUE,
        report: Callable[[int, int], None] = lambda _depth, _limit: None,
    ) -> None:
        """Nothing is taken yet.

        Args:
            threads: that work.
            queue: orders that may wait for them.
            report: is told how many wait, and how many may.
        """
        self._pool = ThreadPoolExecutor(threads, "workshop", _step_back)
        self._places = Places(threads + queue, lambda taken: report(max(0, taken - threads), queue))

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do `work` on a thread and return its result. Cancelled while it waits, it is not begun.

        Raises:
            Overloaded: all places are taken.
        """
        self._places.take()
        # The context goes along: who counts and traces must know whose work it is.
        order = self._pool.submit(copy_context().run, partial(work, *args, **kwargs))
        order.add_done_callback(self._places.give_back)
        return await asyncio.wrap_future(order)

    async def run_for(
        self, receive: Receive, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The same for a client: work that waits is given up when its connection closes.

        Args:
            receive: of the request, whose body has been read.
            work: what to do.
            args: for the work.
            kwargs: for the work.
        Raises:
            Overloaded: all places are taken.
            ClientGone: the connection was closed before the work was done.
        """
        order = asyncio.ensure_future(self.run(work, *args, **kwargs))
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            await asyncio.wait({order, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not order.done():
                raise ClientGone
            return order.result()
        finally:
            gone.cancel()
            order.cancel()

    async def stream(self, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
        """The pieces of a long answer, each made on a thread when the one before is sent.

        Keeps one place from the first piece to the last, or until nobody takes them any more.

        Raises:
            Overloaded: all places are taken; before the first piece.
        """
        self._places.take()
        order: Future[bytes | None] = Future()
        order.set_result(b"")
        try:
            while True:
                order = self._pool.submit(copy_context().run, partial(next, pieces, None))
                piece = await asyncio.wrap_future(order)
                if piece is None:
                    return
                yield piece
        finally:
            order.add_done_callback(self._places.give_back)  # at once, if it is done


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _step_back() -> None:
    """Let this thread's work give way: light requests need the processor sooner.

    Only Linux has a priority for each thread.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        # Never down: that would need a right.
        niceness = max(NICENESS, os.getpriority(os.PRIO_PROCESS, thread))
        os.setpriority(os.PRIO_PROCESS, thread, niceness)
