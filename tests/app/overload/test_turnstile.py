import asyncio
from collections.abc import Awaitable, Callable

from app.overload.turnstile import Turnstile

Log = list[tuple[int, int]]  # the turn of the event loop, the size let in


async def record(turnstile: Turnstile, sizes: list[int], leave: int | None = None) -> Log:
    """In which turns work of these sizes is let in, counted from the first; one may leave."""
    log: Log = []
    turn = 0

    async def enter(size: int) -> None:
        await turnstile.enter(size)
        log.append((turn, size))

    tasks = [asyncio.create_task(enter(size)) for size in sizes]
    while not all(task.done() for task in tasks):
        await asyncio.sleep(0)
        turn += 1
        if leave is not None:
            tasks[leave].cancel()
    first = log[0][0]
    return [(turn - first, size) for turn, size in log]


def run(scene: Callable[[Turnstile], Awaitable[Log]], room: int = 10) -> Log:
    async def main() -> Log:
        return await scene(Turnstile(room))

    return asyncio.run(main())


def sizes_by_turn(log: Log) -> list[list[int]]:
    return [[size for at, size in log if at == turn] for turn in sorted({at for at, _ in log})]


def test_what_fits_goes_on_at_once() -> None:
    log = run(lambda turnstile: record(turnstile, [3, 3, 4]))
    assert log == [(0, 3), (0, 3), (0, 4)]


def test_more_waits_for_later_turns_in_its_order() -> None:
    log = run(lambda turnstile: record(turnstile, [6, 6, 3, 1, 10, 1]))
    assert sizes_by_turn(log) == [[6], [6, 3, 1], [10], [1]]


def test_what_no_turn_has_room_for_has_one_of_its_own() -> None:
    log = run(lambda turnstile: record(turnstile, [1, 99, 98, 1]))
    assert sizes_by_turn(log) == [[1], [99], [98], [1]]


def test_who_leaves_takes_no_room() -> None:
    log = run(lambda turnstile: record(turnstile, [10, 8, 2, 8], leave=1))
    assert sizes_by_turn(log) == [[10], [2, 8]]


def test_who_waited_hears_how_many_were_let_in_together() -> None:
    async def scene() -> list[int | None]:
        turnstile = Turnstile(10)
        return list(await asyncio.gather(*(turnstile.enter(size) for size in (6, 6, 3, 1, 10))))

    assert asyncio.run(scene()) == [None, 3, 3, 3, 1]


def test_every_turn_has_its_room_again() -> None:
    async def three_times(turnstile: Turnstile) -> Log:
        logs = []
        for _ in range(3):
            logs += await record(turnstile, [10])
            assert turnstile.waiting == 0
            await asyncio.sleep(0)
        return logs

    assert run(three_times) == [(0, 10)] * 3


def test_waiting_are_counted() -> None:
    async def scene() -> None:
        turnstile = Turnstile(10)
        tasks = [asyncio.create_task(turnstile.enter(10)) for _ in range(4)]
        counts = []
        while not all(task.done() for task in tasks):
            await asyncio.sleep(0)
            counts.append(turnstile.waiting)
        assert counts[0] == 3
        assert counts[-1] == 0
        assert counts == sorted(counts, reverse=True)

    asyncio.run(scene())
