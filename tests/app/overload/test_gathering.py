import asyncio
from collections.abc import Sequence

import pytest

from app.overload.gathering import Gathering


class Kitchen:
    """Doubles what is ordered and remembers what it made together."""

    def __init__(self) -> None:
        self.made: list[list[int]] = []

    def __call__(self, orders: Sequence[int]) -> list[int]:
        self.made.append(list(orders))
        if 13 in orders:
            raise ValueError("thirteen")
        return [2 * order for order in orders]


async def order_all(gathering: Gathering[int, int], *orders: int) -> list[int]:
    async def one(order: int) -> int:
        return await gathering.join(order)

    return await asyncio.gather(*(one(order) for order in orders))


def test_orders_of_one_turn_are_made_together() -> None:
    kitchen = Kitchen()
    assert asyncio.run(order_all(Gathering(kitchen), 1, 2, 3)) == [2, 4, 6]
    assert kitchen.made == [[1, 2, 3]]


def test_later_orders_are_made_later() -> None:
    async def twice(kitchen: Kitchen) -> None:
        both = Gathering(kitchen)
        await order_all(both, 1)
        await order_all(both, 2, 3)

    kitchen = Kitchen()
    asyncio.run(twice(kitchen))
    assert kitchen.made == [[1], [2, 3]]


def test_the_last_expected_order_ends_the_waiting() -> None:
    async def three_of_three(kitchen: Kitchen) -> None:
        both = Gathering(kitchen)
        first, second = both.join(1, 3), both.join(2, 3)
        assert not first.done()
        third = both.join(3, 3)
        assert [future.result() for future in (first, second, third)] == [2, 4, 6]
        assert both.join(4, 1).result() == 8
        await asyncio.sleep(0)  # the end of the turn finds nothing left to make

    kitchen = Kitchen()
    asyncio.run(three_of_three(kitchen))
    assert kitchen.made == [[1, 2, 3], [4]]


def test_who_is_expected_and_does_not_come_is_not_waited_for() -> None:
    async def two_of_three(kitchen: Kitchen) -> list[int]:
        both = Gathering(kitchen)
        return list(await asyncio.gather(both.join(1, 3), both.join(2, 3)))

    kitchen = Kitchen()
    assert asyncio.run(two_of_three(kitchen)) == [2, 4]
    assert kitchen.made == [[1, 2]]


def test_failure_reaches_all_who_ordered_and_nobody_after() -> None:
    async def fail_and_go_on() -> int:
        both = Gathering(Kitchen())
        results = await asyncio.gather(both.join(1), both.join(13), return_exceptions=True)
        assert [str(result) for result in results] == ["thirteen"] * 2
        return await both.join(4)

    assert asyncio.run(fail_and_go_on()) == 8


@pytest.mark.parametrize("other", [2, 13])
def test_who_leaves_does_not_disturb_the_others(other: int) -> None:
    async def leave() -> int | BaseException:
        both = Gathering(Kitchen())
        leaver, stayer = both.join(1), both.join(other)
        leaver.cancel()
        (result,) = await asyncio.gather(stayer, return_exceptions=True)
        return result

    assert str(asyncio.run(leave())) == {2: "4", 13: "thirteen"}[other]
