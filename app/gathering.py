"""Orders that come in the same turn of the event loop are made together.

Under load several requests are ready at once. Each by itself would find the processor's cache
full of the others' things; together they pay for it once. An order that is alone waits for
nobody: what is gathered is made as soon as the turn ends.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Order = TypeVar("Order")
Made = TypeVar("Made")


class Gathering(Generic[Order, Made]):
    """Makes what is ordered for many requests; belongs to one event loop."""

    def __init__(
        self, make: Callable[[Sequence[Order]], list[Made]], size: Callable[[Order], int], most: int
    ) -> None:
        """See the class.

        Args:
            make: what is made of each of some orders.
            size: of one order.
            most: the size that is made in one go; the event loop takes a turn before the next.
        """
        self._make = make
        self._size = size
        self._most = most
        self._waiting: deque[tuple[Order, asyncio.Future[Made]]] = deque()

    def join(self, order: Order) -> asyncio.Future[Made]:
        """What is made of an order, when it is made; or the exception that making raised."""
        loop = asyncio.get_running_loop()
        made: asyncio.Future[Made] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._make_next, loop)
        self._waiting.append((order, made))
        return made

    def _make_next(self, loop: asyncio.AbstractEventLoop) -> None:
        orders, futures = zip(*self._take(), strict=True)
        if self._waiting:
            loop.call_soon(self._make_next, loop)
        try:
            results = self._make(orders)
        except Exception as error:
            for future in futures:
                if not future.cancelled():
                    future.set_exception(error)
            return
        for future, result in zip(futures, results, strict=True):
            if not future.cancelled():  # its client may be gone
                future.set_result(result)

    def _take(self) -> list[tuple[Order, "asyncio.Future[Made]"]]:
        """The orders that waited longest: one, or as many as stay within the size."""
        taken = [self._waiting.popleft()]
        size = self._size(taken[0][0])
        while self._waiting:
            size += self._size(self._waiting[0][0])
            if size > self._most:
                break
            taken.append(self._waiting.popleft())
        return taken
