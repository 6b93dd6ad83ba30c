"""Requests of the same iteration of the event loop are drawn as one batch.

Under load several requests are ready at once. Drawn one by one, each would find the processor's
cache full of the data of the HTTP code; drawn together they load the weights once. No request
waits for another that might come: the batch is made as soon as everything that could be read has
been read.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

BATCH_SIZE = 64  # about as much is processed at a time: more would leave the processor's cache
MAX_ROOM = 16  # orders of a batch, however small they are
SMOOTHING = 0.2  # weight of the newest batch in the average size of an order

Order = TypeVar("Order")
Result = TypeVar("Result")
Result_contra = TypeVar("Result_contra", contravariant=True)


class Receiver(Protocol[Result_contra]):
    """Takes the result of an order, or the exception that it raised, as a future does."""

    def done(self) -> bool:
        """Whether the result is not wanted any more."""

    def set_result(self, result: Result_contra, /) -> None:
        """The order is processed."""

    def set_exception(self, exception: Exception, /) -> None:
        """The order has failed."""


class MicroBatcher(Generic[Order, Result]):
    """Processes orders in batches; belongs to one event loop."""

    def __init__(
        self,
        process: Callable[[Sequence[Order]], list[Result]],
        size: Callable[[Order], int],
    ) -> None:
        """No orders yet.

        Args:
            process: makes the result of each of some orders.
            size: of an order, in the unit of `BATCH_SIZE`.
        """
        self._process, self._size = process, size
        self._waiting: list[tuple[Order, Receiver[Result]]] = []
        self._average_size = 1.0

    def room(self) -> int:
        """How many orders like the last ones should be in a batch, at least 1 and at most 16."""
        return int(min(MAX_ROOM, max(1.0, BATCH_SIZE / self._average_size)))

    def submit(self, order: Order, receiver: Receiver[Result]) -> None:
        """Process an order in the next batch.

        Args:
            order: what to process.
            receiver: gets the result.
        """
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._process_batch)
        self._waiting.append((order, receiver))

    async def result(self, order: Order) -> Result:
        """The result of an order, processed in the next batch."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self.submit(order, future)
        return await future

    def _process_batch(self) -> None:
        batch, self._waiting = self._waiting, []
        average = sum(self._size(order) for order, _ in batch) / len(batch)
        self._average_size += SMOOTHING * (average - self._average_size)
        self._process_together(batch)

    def _process_together(self, batch: list[tuple[Order, Receiver[Result]]]) -> None:
        try:
            results = self._process([order for order, _ in batch])
        except Exception as error:
            if len(batch) > 1:  # an exception must reach only the order that raised it
                for item in batch:
                    self._process_together([item])
            elif not batch[0][1].done():
                batch[0][1].set_exception(error)
            return
        for (_, receiver), result in zip(batch, results, strict=True):
            if not receiver.done():  # else cancelled with its request
                receiver.set_result(result)
