"""Requests of the same iteration of the event loop are drawn as one batch.

Under load several requests are ready at once. Drawn one by one, each would find the processor's
cache full of the data of the HTTP code; drawn together they load the weights once. No request
waits for another that might come: the batch is made when all that were read together have
arrived, at the latest in the next iteration of the loop.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

BATCH_SIZE = 64  # about as much is processed at a time: more would leave the processor's cache
MAX_ROOM = 16  # orders of a batch, however small they are
SMOOTHING = 0.2  # weight of the newest batch in the average size of an order

Order = TypeVar("Order")
Result = TypeVar("Result")


class MicroBatcher(Generic[Order, Result]):
    """Processes orders in batches; belongs to one event loop."""

    def __init__(
        self,
        process: Callable[[Sequence[Order]], list[Result]],
        size: Callable[[Order], int],
        expected: Callable[[], int | None] = lambda: None,
    ) -> None:
        """No orders yet.

        Args:
            process: makes the result of each of some orders.
            size: of an order, in the unit of `BATCH_SIZE`.
            expected: how many more orders this iteration may bring, if that is known.
        """
        self._process, self._size, self._expected = process, size, expected
        self._waiting: list[tuple[Order, asyncio.Future[Result]]] = []
        self._average_size = 1.0

    def room(self) -> int:
        """How many orders like the last ones should be in a batch, at least 1 and at most 16."""
        return int(min(MAX_ROOM, max(1.0, BATCH_SIZE / self._average_size)))

    def submit(self, order: Order) -> asyncio.Future[Result]:
        """The future result of an order, or the exception that it raised."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._waiting.append((order, future))
        if self._expected() == 0:
            self._process_batch()
        elif len(self._waiting) == 1:
            loop.call_soon(self._process_batch)
        return future

    def _process_batch(self) -> None:
        batch, self._waiting = self._waiting, []
        if not batch:
            return  # it was full before this iteration
        average = sum(self._size(order) for order, _ in batch) / len(batch)
        self._average_size += SMOOTHING * (average - self._average_size)
        self._process_together(batch)

    def _process_together(self, batch: list[tuple[Order, asyncio.Future[Result]]]) -> None:
        try:
            results = self._process([order for order, _ in batch])
        except Exception as error:
            if len(batch) > 1:  # an exception must reach only the order that raised it
                for item in batch:
                    self._process_together([item])
            elif not batch[0][1].done():
                batch[0][1].set_exception(error)
            return
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():  # cancelled with its request
                future.set_result(result)
