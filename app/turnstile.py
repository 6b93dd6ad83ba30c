"""Light drawings take turns with the event loop: so much is drawn, then it reads what has come."""

import asyncio
from collections import deque


class Turnstile:
    """Lets through what one turn of the event loop has room for; belongs to one event loop."""

    def __init__(self, room: int) -> None:
        """Nobody waits.

        Args:
            room: in each turn, in units of the sizes that ask for it.
        """
        self._most = room
        self._room = room  # in this turn
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def waiting(self) -> int:
        """How many wait for a later turn."""
        return len(self._waiting)

    async def enter(self, size: int) -> None:
        """Go on at once where there is room, else in a later turn; first come, first served.

        Args:
            size: of what will be done. More than a whole turn has room for has a turn of its own.
        """
        if self._waiting or not self._fits(size):
            let_in = asyncio.get_running_loop().create_future()
            self._waiting.append((size, let_in))
            await let_in
        else:
            self._take(size)

    def _fits(self, size: int) -> bool:
        return size <= self._room or self._room == self._most

    def _take(self, size: int) -> None:
        if self._room == self._most:
            asyncio.get_running_loop().call_soon(self._next_turn)
        self._room -= size

    def _next_turn(self) -> None:
        self._room = self._most
        while self._waiting and self._fits(self._waiting[0][0]):
            size, let_in = self._waiting.popleft()
            if not let_in.done():  # its client may be gone
                self._take(size)
                let_in.set_result(None)
