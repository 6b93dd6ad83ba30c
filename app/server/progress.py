"""Whether a client takes the bytes that are sent to it."""

import asyncio
import struct
import sys
from fcntl import ioctl
from socket import SO_LINGER, SOL_SOCKET
from termios import TIOCOUTQ

BYTES_PER_S = 2**10  # a client that takes less has stalled
RESET = struct.pack("ii", 1, 0)  # close at once, without waiting for the client


class Progress:
    """How fast the client of one connection takes what is sent to it.

    Counts what the system holds for the client too: that may be megabytes, and while a slow
    client takes them, nothing leaves the transport.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        """Nothing is sent yet."""
        self._transport = transport
        self._since: float | None = None  # too little has been taken since then
        self._queued = 0  # bytes that the client had not taken then

    def look(self, now: float) -> None:
        """Look again; to be called about once a second.

        Args:
            now: time of the event loop, in seconds.
        """
        queued = self._transport.get_write_buffer_size()
        if queued:
            queued += self._queued_by_system()
        since = self._since
        if since is None or self._queued - queued >= BYTES_PER_S * (now - since):
            self._since, self._queued = now if queued else None, queued

    def restart(self) -> None:
        """The client has taken most of what was unsent."""
        self._since = None

    def stalled_s(self, now: float) -> float:
        """How long the client has taken too little, in seconds, as of the last look."""
        return 0 if self._since is None else now - self._since

    def drop(self) -> None:
        """Have the system drop what it holds when the transport is closed."""
        system = self._transport.get_extra_info("socket")
        if system is not None:
            system.setsockopt(SOL_SOCKET, SO_LINGER, RESET)

    def _queued_by_system(self) -> int:
        """Known on Linux only."""
        system = self._transport.get_extra_info("socket")
        if system is None or sys.platform != "linux":
            return 0
        (number,) = struct.unpack("i", ioctl(system.fileno(), TIOCOUTQ, bytes(4)))
        return int(number)
