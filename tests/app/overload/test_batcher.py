import asyncio
import time
from collections.abc import Sequence

import pytest

from app.overload.batcher import BATCH_S, MAX_ROOM, MicroBatcher


class Recorder:
    """Squares numbers and records each batch."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def __call__(self, orders: Sequence[int]) -> list[int]:
        self.batches.append(list(orders))
        return [order**2 for order in orders]


def test_orders_of_one_iteration_are_one_batch() -> None:
    recorder = Recorder()

    async def scene() -> list[int]:
        batcher = MicroBatcher(recorder)
        first = await asyncio.gather(*(batcher.submit(order) for order in range(5)))
        return [*first, await batcher.submit(7)]

    assert asyncio.run(scene()) == [0, 1, 4, 9, 16, 49]
    assert recorder.batches == [[0, 1, 2, 3, 4], [7]]


def test_exception_reaches_only_the_order_that_raised_it() -> None:
    def divide(orders: Sequence[int]) -> list[float]:
        return [1 / order for order in orders]

    async def scene() -> None:
        batcher = MicroBatcher(divide)
        first, bad, third = (batcher.submit(order) for order in (1, 0, 2))
        assert await first == 1
        with pytest.raises(ZeroDivisionError):
            await bad
        assert await third == 0.5

    asyncio.run(scene())


def test_cancelled_order_does_not_disturb_the_others() -> None:
    async def scene() -> None:
        batcher = MicroBatcher(Recorder())
        gone, stays = batcher.submit(1), batcher.submit(2)
        gone.cancel()
        assert await stays == 4

    asyncio.run(scene())


def test_room_is_what_fits_into_the_time_of_a_batch() -> None:
    batcher = MicroBatcher(Recorder())
    assert batcher.room() == MAX_ROOM

    def slow(orders: Sequence[float]) -> list[None]:
        limit = time.thread_time() + BATCH_S
        while time.thread_time() < limit:
            pass
        return [None for _ in orders]

    async def scene() -> int:
        batcher = MicroBatcher(slow)
        for _ in range(30):
            await batcher.submit(1.0)
        return batcher.room()

    assert asyncio.run(scene()) == 1
