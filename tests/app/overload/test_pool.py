import asyncio
import gc
import os
import sys
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import suppress
from typing import cast

import pytest
from starlette.types import Message

from app.overload.pool import NICENESS, ClientGone, Overloaded, Places, Workshop

LIMIT_S = 30  # only reached by a test that fails


def fail() -> None:
    raise RuntimeError("of the work")


def pieces(*contents: bytes) -> Iterator[bytes]:
    yield from contents


def stream(workshop: Workshop, made: Iterator[bytes]) -> AsyncGenerator[bytes]:
    return cast(AsyncGenerator[bytes], workshop.stream(made))


def one_place() -> Workshop:
    return Workshop(threads=1, queue=0)


def test_run_gives_the_result_from_another_thread() -> None:
    def work(*, name: int) -> tuple[int, int]:
        return threading.get_ident(), name

    async def scene() -> tuple[int, int]:
        return await Workshop().run(work, name=7)

    ident, name = asyncio.run(scene())
    assert name == 7
    assert ident != threading.get_ident()


def test_run_leaves_the_event_loop_free() -> None:
    """The work waits for what only the event loop can do meanwhile."""

    async def scene() -> bool:
        met = threading.Event()
        order = asyncio.create_task(Workshop().run(met.wait, LIMIT_S))
        await asyncio.sleep(0)
        met.set()
        return await order

    assert asyncio.run(scene())


@pytest.mark.parametrize(("threads", "queue"), [(1, 0), (1, 2), (2, 3)])
def test_run_beyond_the_places_is_overloaded(threads: int, queue: int) -> None:
    async def scene() -> None:
        workshop, gate = Workshop(threads, queue), threading.Event()
        try:
            orders = [
                asyncio.create_task(workshop.run(gate.wait, LIMIT_S))
                for _ in range(threads + queue)
            ]
            await asyncio.sleep(0)
            with pytest.raises(Overloaded):
                await workshop.run(int)
            with pytest.raises(Overloaded):
                await anext(stream(workshop, pieces(b"1")))
        finally:
            gate.set()
        assert all(await asyncio.gather(*orders))
        assert await workshop.run(int) == 0

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
        workshop = Workshop(threads=2, queue=4)
        await asyncio.gather(*(workshop.run(work) for _ in range(6)))

    asyncio.run(scene())
    assert most == 2


def test_run_exception_is_passed_on_and_gives_the_place_back() -> None:
    async def scene() -> None:
        workshop = one_place()
        for _ in range(3):
            with pytest.raises(RuntimeError, match="of the work"):
                await workshop.run(fail)
        assert await workshop.run(int) == 0

    asyncio.run(scene())


async def free(workshop: Workshop) -> int:
    """The result of an order, given as soon as there is a place."""
    limit = asyncio.get_running_loop().time() + LIMIT_S
    while asyncio.get_running_loop().time() < limit:
        with suppress(Overloaded):
            return await workshop.run(lambda: 7)
        await asyncio.sleep(0.001)
    raise AssertionError("the place was never given back")


def test_run_cancelled_keeps_its_place_until_the_thread_is_done() -> None:
    async def scene() -> None:
        workshop, gate, begun = one_place(), threading.Event(), threading.Event()

        def work() -> None:
            begun.set()
            gate.wait(LIMIT_S)

        order = asyncio.create_task(workshop.run(work))
        await asyncio.to_thread(begun.wait, LIMIT_S)
        order.cancel()
        with pytest.raises(asyncio.CancelledError):
            await order
        with pytest.raises(Overloaded):
            await workshop.run(int)
        gate.set()
        assert await free(workshop) == 7

    asyncio.run(scene())


def test_run_cancelled_while_it_waits_is_never_begun() -> None:
    async def scene() -> list[str]:
        workshop, gate, done = Workshop(threads=1, queue=1), threading.Event(), list[str]()
        first = asyncio.create_task(workshop.run(gate.wait, LIMIT_S))
        await asyncio.sleep(0)
        second = asyncio.create_task(workshop.run(done.append, "second"))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.sleep(0)
        gate.set()
        await first
        assert await free(workshop) == 7
        return done

    assert asyncio.run(scene()) == []


def test_run_for_a_client_that_goes_gives_its_place_back() -> None:
    async def scene() -> None:
        workshop, gate = Workshop(threads=1, queue=1), threading.Event()
        first = asyncio.create_task(workshop.run(gate.wait, LIMIT_S))
        await asyncio.sleep(0)
        messages = iter([{"type": "http.request"}, {"type": "http.disconnect"}])

        async def receive() -> Message:
            return next(messages)

        with pytest.raises(ClientGone):
            await workshop.run_for(receive, gate.wait, LIMIT_S)
        waiting = asyncio.create_task(workshop.run(lambda: 7))  # in the place of the other
        await asyncio.sleep(0)
        gate.set()
        assert await first
        assert await waiting == 7

    asyncio.run(scene())


def test_run_for_a_client_that_stays_gives_the_result() -> None:
    async def scene() -> None:
        async def receive() -> Message:
            await asyncio.sleep(LIMIT_S)
            return {"type": "http.disconnect"}

        workshop = one_place()
        assert await workshop.run_for(receive, lambda: 7) == 7
        with pytest.raises(RuntimeError, match="of the work"):
            await workshop.run_for(receive, fail)
        with workshop._places.taken(), pytest.raises(Overloaded):
            await workshop.run_for(receive, int)

    asyncio.run(scene())


def test_places_are_taken_or_refused_and_given_back() -> None:
    places = Places(2)
    with places.taken(), places.taken(), pytest.raises(Overloaded):
        places.take()
    with places.taken(), places.taken():
        pass


def test_stream_gives_every_piece_from_another_thread() -> None:
    idents: list[int] = []

    def made() -> Iterator[bytes]:
        for piece in (b"1", b"", b"3"):
            idents.append(threading.get_ident())
            yield piece

    async def scene() -> list[bytes]:
        workshop = one_place()
        taken = [piece async for piece in workshop.stream(made())]
        assert await workshop.run(int) == 0
        return taken

    assert asyncio.run(scene()) == [b"1", b"", b"3"]
    assert threading.get_ident() not in idents


def test_stream_makes_a_piece_only_when_it_is_asked_for() -> None:
    async def scene() -> None:
        made = pieces(b"1", b"2", b"3")
        sent = stream(one_place(), made)
        assert await anext(sent) == b"1"
        assert next(made) == b"2"
        await sent.aclose()

    asyncio.run(scene())


def test_stream_holds_one_place_until_its_end() -> None:
    async def scene() -> None:
        workshop = one_place()
        sent = stream(workshop, pieces(b"1"))
        assert await anext(sent) == b"1"
        with pytest.raises(Overloaded):
            await workshop.run(int)
        with pytest.raises(StopAsyncIteration):
            await anext(sent)
        assert await workshop.run(int) == 0

    asyncio.run(scene())


def test_stream_exception_gives_the_place_back() -> None:
    def made() -> Iterator[bytes]:
        yield b"1"
        fail()

    async def scene() -> None:
        workshop = one_place()
        sent = stream(workshop, made())
        assert await anext(sent) == b"1"
        with pytest.raises(RuntimeError, match="of the work"):
            await anext(sent)
        assert await workshop.run(int) == 0

    asyncio.run(scene())


@pytest.mark.parametrize("closed", [True, False])
def test_stream_abandoned_gives_the_place_back(closed: bool) -> None:
    async def scene() -> None:
        workshop = one_place()
        sent = stream(workshop, pieces(b"1", b"2"))
        await anext(sent)
        if closed:
            await sent.aclose()
        else:  # as the server leaves it when a client goes away
            del sent
            gc.collect()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert await workshop.run(int) == 0

    asyncio.run(scene())


def test_stream_never_begun_takes_no_place() -> None:
    async def scene() -> None:
        workshop = one_place()
        sent = stream(workshop, pieces(b"1"))
        assert await workshop.run(int) == 0
        await sent.aclose()

    asyncio.run(scene())


def test_report_hears_of_every_change_of_the_queue() -> None:
    heard: list[tuple[int, int]] = []

    async def scene() -> None:
        workshop = Workshop(1, 2, lambda depth, limit: heard.append((depth, limit)))
        gate = threading.Event()
        orders = [asyncio.create_task(workshop.run(gate.wait, LIMIT_S)) for _ in range(3)]
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
    assert asyncio.run(Workshop().run(niceness)) == max(usual, NICENESS)
    assert niceness() == usual
