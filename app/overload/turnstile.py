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
        self._waiting: deque[tuple[int, asyncio.Future[int]]] = deque()

    @property
    def waiting(self) -> int:
        """How many wait for a later turn."""
        return len(self._waiting)

    async def enter(self, size: int) -> int | None:
        """Go on at once where there is room, else in a later turn; first come, first served.

        Args:
            size: of what will be done. More than a whole turn has room for has a turn of its own.
        Returns:
            How many that had waited were let in together, this one included; None: it had not.
        """
        if not self._waiting and self._fits(size):
            self._take(size)
            return None
        let_in: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, let_in))
        return await let_in

    def _fits(self, size: int) -> bool:
        return size <= self._room or self._room == self._most

    def _take(self, size: int) -> None:
        if self._room == self._most:
            asyncio.get_running_loop().call_soon(self._next_turn)
        self._room -= size

    def _next_turn(self) -> None:
        self._room = self._most
        together = []
        while self._waiting and self._fits(self._waiting[0][0]):
            size, let_in = self._waiting.popleft()
            if not let_in.done():  # its client may be gone
                self._take(size)
                together.append(let_in)
        for let_in in together:
            let_in.set_result(len(together))
