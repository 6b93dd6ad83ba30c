import asyncio
import gc
import os
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import suppress
from typing import Any, TypeVar, cast

import pytest

from app.overload import ClientGone, Overloaded
from app.overload.pool import NICENESS, BoundedPool, Slots

LIMIT_S = 30  # only reached by a test that fails
T = TypeVar("T")


async def stays() -> None:
    """A client that waits for its answer."""
    await asyncio.sleep(LIMIT_S)


async def run(pool: BoundedPool, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    return await pool.run(stays(), work, *args, **kwargs)


def fail() -> None:
    raise RuntimeError("of the work")


def pieces(*contents: bytes) -> Iterator[bytes]:
    yield from contents


def stream(pool: BoundedPool, made: Iterator[bytes]) -> AsyncGenerator[bytes]:
    return cast(AsyncGenerator[bytes], pool.stream(made))


def one_slot() -> BoundedPool:
    return BoundedPool(threads=1, queue=0)


def test_run_gives_the_result_from_another_thread() -> None:
    def work(*, name: int) -> tuple[int, int]:
        return threading.get_ident(), name

    async def scene() -> tuple[int, int]:
        return await run(BoundedPool(2, 16), work, name=7)

    ident, name = asyncio.run(scene())
    assert name == 7
    assert ident != threading.get_ident()


def test_run_leaves_the_event_loop_free() -> None:
    """The work waits for what only the event loop can do meanwhile."""

    async def scene() -> bool:
        met = threading.Event()
        order = asyncio.create_task(run(BoundedPool(2, 16), met.wait, LIMIT_S))
        await asyncio.sleep(0)
        met.set()
        return await order

    assert asyncio.run(scene())


@pytest.mark.parametrize(("threads", "queue"), [(1, 0), (1, 2), (2, 3)])
def test_run_beyond_the_slots_is_overloaded(threads: int, queue: int) -> None:
    async def scene() -> None:
        pool, gate = BoundedPool(threads, queue), threading.Event()
        try:
            orders = [
                asyncio.create_task(run(pool, gate.wait, LIMIT_S)) for _ in range(threads + queue)
            ]
            await asyncio.sleep(0)
            with pytest.raises(Overloaded):
                await run(pool, int)
            with pytest.raises(Overloaded):
                await anext(stream(pool, pieces(b"1")))
        finally:
            gate.set()
        assert all(await asyncio.gather(*orders))
        assert await run(pool, int) == 0

    asyncio.run(scene())


def test_run_works_on_no_more_than_its_threads_at_a_time() -> None:
    working, most, lock = 0, 0, threading.Lock()
    both = threading.Barrier(2, timeout=LIMIT_S)

    def work() -> None:
        nonlocal working, most
        with lock:
            working += 1
            most = max(most, working)
        both.wait()  # two at a time, or the barrier breaks
        with lock:
            working -= 1

    async def scene() -> None:
        pool = BoundedPool(threads=2, queue=4)
        await asyncio.gather(*(run(pool, work) for _ in range(6)))

    asyncio.run(scene())
    assert most == 2


def test_run_exception_is_passed_on_and_gives_the_slot_back() -> None:
    async def scene() -> None:
        pool = one_slot()
        for _ in range(3):
            with pytest.raises(RuntimeError, match="of the work"):
                await run(pool, fail)
        assert await run(pool, int) == 0

    asyncio.run(scene())


async def free(pool: BoundedPool) -> int:
    """The result of an order, given as soon as there is a slot."""
    limit = asyncio.get_running_loop().time() + LIMIT_S
    while asyncio.get_running_loop().time() < limit:
        with suppress(Overloaded):
            return await run(pool, lambda: 7)
        await asyncio.sleep(0.001)
    raise AssertionError("the slot was never given back")


def test_run_cancelled_keeps_its_slot_until_the_thread_is_done() -> None:
    async def scene() -> None:
        pool, gate, begun = one_slot(), threading.Event(), threading.Event()

        def work() -> None:
            begun.set()
            gate.wait(LIMIT_S)

        order = asyncio.create_task(run(pool, work))
        await asyncio.to_thread(begun.wait, LIMIT_S)
        order.cancel()
        with pytest.raises(asyncio.CancelledError):
            await order
        with pytest.raises(Overloaded):
            await run(pool, int)
        gate.set()
        assert await free(pool) == 7

    asyncio.run(scene())


def test_run_cancelled_while_it_waits_is_never_begun() -> None:
    async def scene() -> list[str]:
        pool, gate, done = BoundedPool(threads=1, queue=1), threading.Event(), list[str]()
        first = asyncio.create_task(run(pool, gate.wait, LIMIT_S))
        await asyncio.sleep(0)
        second = asyncio.create_task(run(pool, done.append, "second"))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        await asyncio.sleep(0)  # then its place in the queue is given up
        gate.set()
        await first
        assert await free(pool) == 7
        return done

    assert asyncio.run(scene()) == []


def test_run_for_a_client_that_leaves_gives_its_slot_back() -> None:
    async def scene() -> None:
        pool, gate = BoundedPool(threads=1, queue=1), threading.Event()
        first = asyncio.create_task(run(pool, gate.wait, LIMIT_S))
        await asyncio.sleep(0)
        with pytest.raises(ClientGone):
            await pool.run(asyncio.sleep(0), gate.wait, LIMIT_S)
        waiting = asyncio.create_task(run(pool, lambda: 7))  # in the slot of the other
        await asyncio.sleep(0)
        gate.set()
        assert await first
        assert await waiting == 7

    asyncio.run(scene())


def test_slots_are_taken_or_refused_and_given_back() -> None:
    slots = Slots(2)
    for _ in range(2):
        slots.take()
        slots.take()
        with pytest.raises(Overloaded):
            slots.take()
        slots.release()
        slots.release()


def test_stream_gives_every_piece_from_another_thread() -> None:
    idents: list[int] = []

    def made() -> Iterator[bytes]:
        for piece in (b"1", b"", b"3"):
            idents.append(threading.get_ident())
            yield piece

    async def scene() -> list[bytes]:
        pool = one_slot()
        taken = [piece async for piece in pool.stream(made())]
        assert await run(pool, int) == 0
        return taken

    assert asyncio.run(scene()) == [b"1", b"", b"3"]
    assert threading.get_ident() not in idents


def test_stream_makes_a_piece_only_when_it_is_asked_for() -> None:
    async def scene() -> None:
        made = pieces(b"1", b"2", b"3")
        sent = stream(one_slot(), made)
        assert await anext(sent) == b"1"
        assert next(made) == b"2"
        await sent.aclose()

    asyncio.run(scene())


def test_stream_of_a_slow_reader_keeps_others_from_nothing() -> None:
    async def scene() -> None:
        pool = one_slot()
        sent = stream(pool, pieces(b"1", b"2"))
        assert await anext(sent) == b"1"
        assert await run(pool, int) == 0
        assert await anext(sent) == b"2"
        with pytest.raises(StopAsyncIteration):
            await anext(sent)
        assert await run(pool, int) == 0

    asyncio.run(scene())


def test_streams_whose_pieces_wait_keep_further_work_out() -> None:
    held = threading.Event()

    def made() -> Iterator[bytes]:
        yield b"1"
        held.wait()
        yield b"2"

    async def scene() -> None:
        pool = BoundedPool(threads=1, queue=1)
        streams = [stream(pool, made()) for _ in range(2)]
        for each in streams:
            assert await anext(each) == b"1"
        waiting = [asyncio.ensure_future(anext(each)) for each in streams]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await anext(stream(pool, pieces(b"3")))
        held.set()
        assert await asyncio.gather(*waiting) == [b"2", b"2"]  # what has begun goes on
        assert await anext(stream(pool, pieces(b"3"))) == b"3"

    asyncio.run(scene())


def test_stream_exception_gives_the_slot_back() -> None:
    def made() -> Iterator[bytes]:
        yield b"1"
        fail()

    async def scene() -> None:
        pool = one_slot()
        sent = stream(pool, made())
        assert await anext(sent) == b"1"
        with pytest.raises(RuntimeError, match="of the work"):
            await anext(sent)
        assert await run(pool, int) == 0

    asyncio.run(scene())


@pytest.mark.parametrize("closed", [True, False])
def test_stream_abandoned_gives_the_slot_back(closed: bool) -> None:
    async def scene() -> None:
        pool = one_slot()
        sent = stream(pool, pieces(b"1", b"2"))
        await anext(sent)
        if closed:
            await sent.aclose()
        else:  # as the server leaves it when a client goes away
            del sent
            gc.collect()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert await run(pool, int) == 0

    asyncio.run(scene())


def test_stream_never_begun_takes_no_slot() -> None:
    async def scene() -> None:
        pool = one_slot()
        sent = stream(pool, pieces(b"1"))
        assert await run(pool, int) == 0
        await sent.aclose()

    asyncio.run(scene())


def test_report_hears_of_every_change_of_the_queue() -> None:
    heard: list[tuple[int, int]] = []

    async def scene() -> None:
        pool = BoundedPool(1, 2, lambda depth, limit: heard.append((depth, limit)))
        gate = threading.Event()
        orders = [asyncio.create_task(run(pool, gate.wait, LIMIT_S)) for _ in range(3)]
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*orders)

    asyncio.run(scene())
    assert [depth for depth, _ in heard] == [0, 0, 1, 2, 1, 0, 0]
    assert {limit for _, limit in heard} == {2}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a priority for each thread")
def test_heavy_work_gives_way_to_the_event_loop() -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    usual = niceness()
    assert asyncio.run(run(BoundedPool(2, 16), niceness)) == max(usual, NICENESS)
    assert niceness() == usual
