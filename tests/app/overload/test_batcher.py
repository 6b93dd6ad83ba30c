import asyncio
from asyncio import ensure_future
from collections.abc import Sequence

import pytest

from app.overload.batcher import BATCH_SIZE, MAX_ROOM, MicroBatcher


def one(_: object) -> int:
    return 1


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
        batcher = MicroBatcher(recorder, one)
        first = await asyncio.gather(*(batcher.result(order) for order in range(5)))
        return [*first, await batcher.result(7)]

    assert asyncio.run(scene()) == [0, 1, 4, 9, 16, 49]
    assert recorder.batches == [[0, 1, 2, 3, 4], [7]]


def test_exception_reaches_only_the_order_that_raised_it() -> None:
    def divide(orders: Sequence[int]) -> list[float]:
        return [1 / order for order in orders]

    async def scene() -> None:
        batcher = MicroBatcher(divide, one)
        first, bad, third = (ensure_future(batcher.result(order)) for order in (1, 0, 2))
        assert await first == 1
        with pytest.raises(ZeroDivisionError):
            await bad
        assert await third == 0.5

    asyncio.run(scene())


def test_cancelled_order_does_not_disturb_the_others() -> None:
    async def scene() -> None:
        batcher = MicroBatcher(Recorder(), one)
        gone, stays = (ensure_future(batcher.result(order)) for order in (1, 2))
        await asyncio.sleep(0)  # both have ordered
        gone.cancel()
        assert await stays == 4

    asyncio.run(scene())


def test_room_is_as_many_orders_as_fill_a_batch() -> None:
    async def scene(size: int) -> int:
        batcher = MicroBatcher(Recorder(), lambda _: size)
        for _ in range(40):
            await batcher.result(1)
        return batcher.room()

    sizes = {1: MAX_ROOM, BATCH_SIZE // 16: 16, BATCH_SIZE // 2: 2, BATCH_SIZE: 1, 1000: 1}
    for size, room in sizes.items():
        assert abs(asyncio.run(scene(size)) - room) <= room // 16
