"""How many requests may wait in a turn of the event loop: all of a burst, few of an overload."""

from dataclasses import dataclass

WAIT_S = 0.0015  # under overload: as many may wait as are drawn in this time
RATE = 4000.0  # drawn in a second, before it is measured
CROWD = 16  # so many were read in the last turn: it is refused on until there are fewer
WINDOW_S = 0.02
PAUSE_S = 1  # after so long the overload is forgotten
SHARE = 0.2  # of the requests of a window: when no more are refused, more may wait


@dataclass
class Window:
    """What happened since a moment of an overload."""

    began: float  # in seconds of the clock
    owed: int  # requests that waited for their drawing
    read: int = 0
    refused: int = 0
    drew_s: float = 0.0  # the turns that drew, in seconds


class Congestion:
    """Judges each turn by the ones before.

    A turn of the event loop first reads what has come, then draws what was admitted. A burst is
    taken: `backlog` requests may wait. When that is not enough, a long queue would only make
    everybody wait: then as many may as are drawn in `WAIT_S`, and twice as many after each window
    in which hardly any had to be refused. Of a load that is many times what can be drawn, most of
    a turn goes into refusing, and who was admitted would wait for all that: so nobody is until a
    turn has caught up. Who is answered is answered soon.
    """

    def __init__(self, backlog: int) -> None:
        """No overload.

        Args:
            backlog: requests that may wait while there is none.
        """
        self.backlog = backlog
        self._standing = backlog  # that may wait, but for a crowd
        self._overloaded = False
        self._crowded = self._drew = False  # the last turn
        self._opened = self._admitted_at = 0.0
        self._owed = 0
        self._window = Window(0.0, 0)

    def open(self, now: float, owed: int) -> int:
        """A turn begins to read.

        Args:
            now: in seconds of any clock.
            owed: requests of earlier turns that still wait for their drawing.
        Returns:
            How many may wait, these included.
        """
        if self._drew:
            self._window.drew_s += now - self._opened
        self._opened, self._owed = now, owed
        if self._overloaded and now - self._window.began >= WINDOW_S:
            self._look_back()
        if self._overloaded and self._crowded and now - self._admitted_at < WINDOW_S:
            return 0
        self._admitted_at = now
        return self._standing

    def close(self, read: int, refused: int) -> None:
        """The turn has read all that came, and goes on to draw.

        Args:
            read: requests.
            refused: of them.
        """
        self._drew = read > refused or self._owed > 0
        self._crowded = self._overloaded and read >= CROWD
        if refused and not self._overloaded:
            self._overloaded, self._standing = True, self._drawn_soon(RATE)
            self._window = Window(self._opened, self._owed)
        self._window.read += read
        self._window.refused += refused

    def _look_back(self) -> None:
        """When a window is over: let more wait, or again as few as at first."""
        window = self._window
        if self._opened - window.began >= PAUSE_S:
            self._standing = self.backlog
        elif window.refused > SHARE * window.read:
            drawn = window.read - window.refused + window.owed - self._owed
            self._standing = self._drawn_soon(drawn / window.drew_s if drawn > 0 else RATE)
        else:
            self._standing = min(self.backlog, 2 * self._standing)
        self._overloaded = self._standing < self.backlog
        self._window = Window(self._opened, self._owed)

    def _drawn_soon(self, rate: float) -> int:
        return min(self.backlog, max(1, round(rate * WAIT_S)))
