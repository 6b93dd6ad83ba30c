import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest

from app.overload import Overloaded
from app.overload.batcher import MAX_ROOM
from app.overload.limit import BURST, CALM_S, PART, REFUSED_SHARE, WINDOW_S, Limit

BACKLOG, ROOM = 16, 2 * PART


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def arrive(limit: Limit, requests: int) -> tuple[int, int, int]:
    """Requests that arrive in one iteration of the loop: how many begin, wait and are refused."""
    begun = waiting = refused = 0
    for _ in range(requests):
        try:
            turn = limit.enter()
        except Overloaded:
            refused += 1
        else:
            begun, waiting = begun + (turn is None), waiting + (turn is not None)
    return begun, waiting, refused


async def drain(limit: Limit) -> None:
    while limit.waiting:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def run(scene: Callable[[Limit, Clock], Awaitable[None]]) -> None:
    async def main() -> None:
        clock = Clock()
        await scene(Limit(BACKLOG, lambda: ROOM, clock), clock)

    asyncio.run(main())


def test_a_burst_begins_waits_and_is_refused_beyond_the_backlog() -> None:
    async def scene(limit: Limit, _: Clock) -> None:
        assert await arrive(limit, ROOM + BACKLOG + 3) == (ROOM, BACKLOG, 3)

    run(scene)


@pytest.mark.parametrize(
    ("room", "most"), [(MAX_ROOM, 4 * BURST), (MAX_ROOM // 2, 2 * BURST), (1, BURST)]
)
def test_fewer_of_large_requests_may_wait(room: int, most: int) -> None:
    async def scene() -> None:
        limit = Limit(4 * BURST, lambda: room)
        assert await arrive(limit, 10 * BURST) == (room, most, 10 * BURST - room - most)

    asyncio.run(scene())


def test_requests_one_after_the_other_are_never_refused() -> None:
    async def scene(limit: Limit, _: Clock) -> None:
        for _number in range(10 * BACKLOG):
            assert await arrive(limit, 1) == (1, 0, 0)
            await drain(limit)

    run(scene)


def test_waiting_requests_begin_in_order_a_few_in_each_iteration() -> None:
    async def scene(limit: Limit, _: Clock) -> None:
        begun: list[int] = []

        async def request(number: int) -> None:
            turn = limit.enter()
            if turn is not None:
                await turn
            begun.append(number)

        tasks = [asyncio.create_task(request(number)) for number in range(2 * ROOM)]
        seen = []
        while len(begun) < len(tasks):
            await asyncio.sleep(0)
            seen.append(len(begun))
        assert begun == list(range(2 * ROOM))
        assert max(b - a for a, b in pairwise(seen)) <= ROOM

    run(scene)


def test_a_cancelled_request_gives_its_turn_to_the_next() -> None:
    async def scene(limit: Limit, _: Clock) -> None:
        await arrive(limit, ROOM)
        turns = [limit.enter() for _ in range(ROOM + 1)]
        assert turns[0] is not None
        turns[0].cancel()
        await drain(limit)
        assert all(turn is not None and turn.done() for turn in turns)

    run(scene)


def test_under_a_standing_overload_part_of_a_batch_begins_and_none_waits() -> None:
    async def scene(limit: Limit, clock: Clock) -> None:
        await arrive(limit, ROOM + BACKLOG + 1)
        await drain(limit)
        for _window in range(5):
            clock.now += WINDOW_S
            assert await arrive(limit, 20) == (ROOM // PART, 0, 20 - ROOM // PART)
            await drain(limit)

    run(scene)


def test_the_queue_grows_again_as_fewer_are_refused() -> None:
    async def scene(limit: Limit, clock: Clock) -> None:
        await arrive(limit, ROOM + BACKLOG + 1)
        await drain(limit)
        assert REFUSED_SHARE * (ROOM + BACKLOG + 1) > 1  # hardly any of that window were refused
        for most in (1, 2, 4):
            clock.now += 2 * WINDOW_S
            await arrive(limit, 1)
            await drain(limit)
            assert await arrive(limit, ROOM + most) == (ROOM, most, 0)
            await drain(limit)

    run(scene)


def test_after_a_pause_a_whole_burst_is_taken_again() -> None:
    async def scene(limit: Limit, clock: Clock) -> None:
        await arrive(limit, 10 * BACKLOG)
        await drain(limit)
        clock.now += CALM_S
        await arrive(limit, 1)
        await drain(limit)
        assert await arrive(limit, ROOM + BACKLOG) == (ROOM, BACKLOG, 0)

    run(scene)


def test_overloaded_says_when_to_come_back() -> None:
    with pytest.raises(Overloaded, match=r"^The service is overloaded; retry in 1 s\.$"):
        raise Overloaded
