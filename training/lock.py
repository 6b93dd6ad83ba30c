"""One training at a time in a folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = ".lock"


class LockedError(Exception):
    """Another training works in the folder; the message is one full sentence."""


@contextmanager
def locked(run_dir: Path) -> Iterator[None]:
    """While entered, no other training can enter the same folder, until this one ends in any way.

    Raises:
        LockedError: another training works there.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    with (run_dir / LOCK).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise LockedError(
                f"Another training works in the folder {run_dir} (process "
                f"{file.read(20) or 'unknown'}); wait until it has ended, or choose another "
                "--run-dir."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
