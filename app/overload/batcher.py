"""Requests of the same iteration of the event loop are drawn as one batch.

Under load several requests are ready at once. Drawn one by one, each would find the processor's
cache full of the data of the HTTP code; drawn together they load the weights once. No request
waits for another that might come: the batch is made in the next iteration of the loop.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

BATCH_S = 0.002  # processor time, the longest that a batch should keep the event loop
MAX_ROOM = 16  # orders of a batch, beyond which a larger batch is not faster per order
SMOOTHING = 0.2  # weight of the newest batch in the average cost of an order

Order = TypeVar("Order")
Result = TypeVar("Result")


class MicroBatcher(Generic[Order, Result]):
    """Processes orders in batches; belongs to one event loop."""

    def __init__(self, process: Callable[[Sequence[Order]], list[Result]]) -> None:
        """No orders yet.

        Args:
            process: makes the result of each of some orders.
        """
        self._process = process
        self._waiting: list[tuple[Order, asyncio.Future[Result]]] = []
        self._order_s = 0.0  # processor time of an order, averaged

    def room(self) -> int:
        """How many orders like the last ones should be in a batch."""
        return (
            MAX_ROOM if self._order_s * MAX_ROOM <= BATCH_S else int(BATCH_S / self._order_s) or 1
        )

    def submit(self, order: Order) -> asyncio.Future[Result]:
        """The future result of an order, or the exception that it raised."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._process_batch)
        future: asyncio.Future[Result] = loop.create_future()
        self._waiting.append((order, future))
        return future

    def _process_batch(self) -> None:
        batch, self._waiting = self._waiting, []
        self._process_together(batch)

    def _process_together(self, batch: list[tuple[Order, asyncio.Future[Result]]]) -> None:
        began = time.thread_time()
        try:
            results = self._process([order for order, _ in batch])
        except Exception as error:
            if len(batch) > 1:  # an exception must reach only the order that raised it
                for item in batch:
                    self._process_together([item])
            elif not batch[0][1].done():
                batch[0][1].set_exception(error)
            return
        order_s = (time.thread_time() - began) / len(batch)
        self._order_s += SMOOTHING * (order_s - self._order_s)
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():  # cancelled with its request
                future.set_result(result)
