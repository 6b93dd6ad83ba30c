import asyncio

import pytest

from app.overload import Overloaded
from app.overload.memory import PROGRESS, Share, UploadMemory

LIMIT_S = 30  # only reached by a test that fails
SIZE = 4 * PROGRESS


class Upload:
    """An upload whose client stalls after what the test lets arrive."""

    def __init__(self, memory: UploadMemory) -> None:
        self._memory, self._done, self.share = memory, asyncio.Event(), Share()
        self._ended = asyncio.create_task(self._arrive())

    async def _arrive(self) -> None:
        with self._memory.share() as self.share:
            async with self._memory.arriving(self.share, LIMIT_S):
                await self._done.wait()

    async def send(self, number: int) -> "Upload":
        """Let some bytes arrive."""
        await asyncio.sleep(0)
        self._memory.take(self.share, number)
        return self

    async def is_given_up(self) -> bool:
        """Whether it has been given up; else it ends now."""
        self._done.set()
        (result,) = await asyncio.gather(self._ended, return_exceptions=True)
        assert result is None or isinstance(result, Overloaded)
        return result is not None


def test_take_up_to_the_size_gives_nothing_up() -> None:
    async def scene() -> None:
        memory = UploadMemory(SIZE)
        uploads = [await Upload(memory).send(PROGRESS) for _ in range(4)]
        assert [await upload.is_given_up() for upload in uploads] == [False] * 4
        assert not await (await Upload(memory).send(SIZE)).is_given_up()

    asyncio.run(scene())


def test_take_beyond_the_size_gives_up_who_has_stalled_longest() -> None:
    async def scene() -> None:
        memory = UploadMemory(SIZE)
        silent = await Upload(memory).send(0)
        uploads = [await Upload(memory).send(PROGRESS) for _ in range(3)]
        for number in (1, PROGRESS - 1):  # the second completes a step of progress
            await uploads[0].send(number)
        uploads.append(await Upload(memory).send(PROGRESS))
        assert [await upload.is_given_up() for upload in uploads] == [False, True, False, False]
        assert not await silent.is_given_up()

    asyncio.run(scene())


def test_take_by_dripping_is_no_progress() -> None:
    async def scene() -> None:
        memory = UploadMemory(SIZE)
        dripping, steady = await Upload(memory).send(1), await Upload(memory).send(1)
        await steady.send(3 * PROGRESS)
        for _ in range(9):
            await dripping.send(1)
        other = await Upload(memory).send(PROGRESS - 12)
        await other.send(10)
        assert await dripping.is_given_up()
        assert not await steady.is_given_up()
        assert not await other.is_given_up()

    asyncio.run(scene())


def test_take_beside_uploads_that_are_processed_is_overloaded() -> None:
    async def scene() -> None:
        memory = UploadMemory(SIZE)
        with memory.share() as processed:
            async with memory.arriving(processed, LIMIT_S):
                memory.take(processed, SIZE)
            with pytest.raises(Overloaded):
                await Upload(memory).send(1)
        assert not await (await Upload(memory).send(SIZE)).is_given_up()

    asyncio.run(scene())


def test_arriving_too_long_is_a_timeout() -> None:
    async def scene() -> None:
        memory = UploadMemory(SIZE)
        with memory.share() as share, pytest.raises(TimeoutError):
            async with memory.arriving(share, 0.001):
                await asyncio.sleep(LIMIT_S)

    asyncio.run(scene())
