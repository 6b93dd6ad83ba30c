"""Bounds the bytes that are drawn and not yet sent, over all connections.

A client that asks for much and reads nothing makes the service hold its answer. One such client
costs little; hundreds of them would fill the memory. When the bound is reached, the connections
that have stalled longest are closed first, and what cannot be held is refused before it is drawn.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Protocol

from app.overload import Overloaded

EVICT_AFTER_S = 3  # a connection that has taken nothing for so long is closed if others need room


class Sender(Protocol):
    """A connection with bytes to send."""

    @property
    def unsent(self) -> int:
        """Bytes that the client has not taken yet."""

    @property
    def stalled_s(self) -> float:
        """How long it has taken none of them, in seconds."""

    def abort(self) -> None:
        """Drop the bytes and the connection."""


class UnsentBytes:
    """What all connections of a worker may hold together; belongs to one event loop."""

    def __init__(self, limit: int) -> None:
        """No connections yet.

        Args:
            limit: bytes.
        """
        self._limit = limit
        self._expected = 0  # bytes of drawings in progress
        self._unsent = 0  # as of the last look
        self._drawn = 0  # since then
        self._wanted = 0  # bytes that were refused since then
        self.senders: Callable[[], Collection[Sender]] = tuple

    @property
    def full(self) -> bool:
        """Whether there is no room, even for a small answer."""
        return self._unsent + self._drawn + self._expected > self._limit

    def look(self) -> None:
        """Look at all connections; to be called several times a second.

        Closes stalled ones if they have kept others out.
        """
        senders = [sender for sender in self.senders() if sender.unsent]
        self._unsent, self._drawn = sum(sender.unsent for sender in senders), 0
        if self._wanted or self.full:
            self._evict(senders, self._expected + self._wanted - self._limit)
        self._wanted = 0

    @contextmanager
    def expected(self, size: int) -> Iterator[None]:
        """Hold room for an answer while it is drawn.

        Args:
            size: bytes, as an estimate. A larger one than all the room is let in alone.
        Raises:
            Overloaded: there is no room.
        """
        size = min(size, self._limit)
        if self._unsent + self._drawn + self._expected + size > self._limit:
            self._wanted = max(self._wanted, size)
            raise Overloaded
        self._expected += size
        drawn = 0  # of an answer that is refused or fails after all
        try:
            yield
            drawn = size
        finally:
            self._expected -= size
            self._drawn += drawn

    def _evict(self, senders: list[Sender], excess: int) -> None:
        """Close stalled connections, the longest stalled first, until the rest exceeds nothing."""
        senders.sort(key=lambda sender: sender.stalled_s)
        while self._unsent + excess > 0 and senders and senders[-1].stalled_s >= EVICT_AFTER_S:
            sender = senders.pop()
            self._unsent -= sender.unsent
            sender.abort()
