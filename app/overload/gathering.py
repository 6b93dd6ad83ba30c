"""Orders that come in the same turn of the event loop are made together.

Under load several requests are ready at once. Each by itself would find the processor's cache
full of the others' things; together they pay for it once. Nobody waits for an order that may
come: what is gathered is made with the last that is expected, or when the turn ends.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Order = TypeVar("Order")
Made = TypeVar("Made")


class Gathering(Generic[Order, Made]):
    """Makes what is ordered for many requests; belongs to one event loop."""

    def __init__(self, make: Callable[[Sequence[Order]], list[Made]]) -> None:
        """See the class.

        Args:
            make: what is made of each of some orders.
        """
        self._make = make
        self._waiting: list[tuple[Order, asyncio.Future[Made]]] = []
        self._end_of_turn: asyncio.Handle | None = None

    def join(self, order: Order, expected: int | None = None) -> asyncio.Future[Made]:
        """What is made of an order, when it is made; or the exception that making raised.

        Args:
            order: to be made.
            expected: how many orders this turn may bring, this one included; None: unknown.
        """
        loop = asyncio.get_running_loop()
        made: asyncio.Future[Made] = loop.create_future()
        self._waiting.append((order, made))
        if expected is not None and len(self._waiting) >= expected:
            self._make_all()
        elif self._end_of_turn is None:
            self._end_of_turn = loop.call_soon(self._make_all)
        return made

    def _make_all(self) -> None:
        if self._end_of_turn is not None:
            self._end_of_turn.cancel()
            self._end_of_turn = None
        orders, futures = zip(*self._waiting, strict=True)
        self._waiting.clear()
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
