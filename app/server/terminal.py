"""The terminal that a service was started from: its end is the service's too."""

import os


class Terminal:
    """Tells a SIGHUP that asks for a reload from that of a closed terminal."""

    def __init__(self) -> None:
        self._had_one = _has_terminal()

    def is_closed(self) -> bool:
        """Whether there was a terminal when the service started, and there is none any more."""
        return self._had_one and not _has_terminal()


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True
