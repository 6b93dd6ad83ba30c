"""A progress bar on a terminal, with the rate and the time left."""

import sys
from time import monotonic

WIDTH = 40  # characters of the bar
PAUSE_S = 0.1  # between two lines
MINUTE_S = 60


class Progress:
    """Shows how many of `count` pictures are drawn; silent where no terminal is."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._began = monotonic()
        self._shown = 0.0
        self._active = sys.stderr.isatty() and count > 0

    def show(self, drawn: int) -> None:
        """Show that so many pictures are drawn. Shows a few times a second, and the last one."""
        now = monotonic()
        if not self._active or (now - self._shown < PAUSE_S and drawn < self._count):
            return
        self._shown = now
        bar = ("#" * (WIDTH * drawn // self._count)).ljust(WIDTH, ".")
        rate = drawn / max(now - self._began, 1e-9)
        left_s = round((self._count - drawn) / max(rate, 1e-9))
        minutes, seconds = divmod(left_s, MINUTE_S)
        line = f"[{bar}] {drawn} of {self._count}, {rate:,.0f}/s, {minutes}:{seconds:02d} left"
        print(f"\r{line:<90}", end="", file=sys.stderr, flush=True)  # noqa: T201

    def end(self) -> None:
        """End the line."""
        if self._active:
            print(file=sys.stderr)  # noqa: T201
