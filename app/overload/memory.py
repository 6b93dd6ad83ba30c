"""Bounds the bytes of uploads in memory."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from app.overload import Overloaded

PROGRESS = 2**16  # bytes; an upload that sends fewer makes no progress


class Share:
    """What one upload holds of the memory, in bytes."""

    size = 0


class UploadMemory:
    """The memory for uploads that arrive or are processed; for one event loop.

    An upload takes memory as its bytes arrive, so a client that sends nothing takes nothing. Where
    the memory is full, the upload that has made no progress for the longest is given up, so a
    client that stalls keeps nobody out.
    """

    def __init__(self, size: int) -> None:
        """All memory is free.

        Args:
            size: in bytes; at least that of the largest upload.
        """
        self._free = size
        self._arriving: dict[Share, asyncio.Timeout] = {}  # the last to make progress is last

    @contextmanager
    def share(self) -> Iterator[Share]:
        """The share of an upload, empty at first, released at the end."""
        share = Share()
        try:
            yield share
        finally:
            self._release(share)

    @asynccontextmanager
    async def arriving(self, share: Share, limit_s: float) -> AsyncIterator[None]:
        """The upload arrives during this block, and may be given up.

        Raises:
            TimeoutError: the block took longer than `limit_s`.
            Overloaded: the upload was given up.
        """
        try:
            async with asyncio.timeout(limit_s) as limit:
                self._arriving[share] = limit
                yield
        except TimeoutError:
            if share in self._arriving:
                raise
        finally:
            given_up = self._arriving.pop(share, None) is None
        if given_up:
            raise Overloaded

    def take(self, share: Share, number: int) -> None:
        """More bytes of an arriving upload are in memory.

        Raises:
            Overloaded: the memory is full, and no other upload can be given up before this one.
        """
        if (share.size + number) // PROGRESS > share.size // PROGRESS and share in self._arriving:
            self._arriving[share] = self._arriving.pop(share)
        while number > self._free:
            stalled = next((other for other in self._arriving if other.size), share)
            if stalled is share:
                raise Overloaded
            self._give_up(stalled)
        self._free -= number
        share.size += number

    def _give_up(self, share: Share) -> None:
        self._arriving.pop(share).reschedule(asyncio.get_running_loop().time())
        self._release(share)  # its bytes leave the memory in the next iteration of the loop

    def _release(self, share: Share) -> None:
        self._free += share.size
        share.size = 0
