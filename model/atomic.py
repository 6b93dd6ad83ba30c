"""Replacing a file or a folder in one step, so that a crash leaves the old or the new, never half.

Files have `os.replace`. For folders Linux has one system call that swaps two names; elsewhere
two renames must do, with a moment between them in which only the old one's new name exists.
"""

import ctypes
import os
import sys
from pathlib import Path

_AT_FDCWD = -100  # linux/fcntl.h
_RENAME_EXCHANGE = 2  # linux/fs.h


def replace_file(path: Path, data: bytes) -> None:
    """Write `data` to `path` through a temporary neighbour, synced to the disk before the rename.

    Raises:
        OSError: the disk refuses; what stood at `path` stays as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write_synced(fresh, data)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    sync_folder(path.parent)


def write_synced(path: Path, data: bytes) -> None:
    """Write `data` to a new file and wait until the disk has it."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def exchange(fresh: Path, target: Path) -> None:
    """Put the folder `fresh` at `target`; what stood at `target` is at `fresh` afterwards.

    Raises:
        OSError: the file system refuses; both stay as they were.
    """
    if not target.exists():
        fresh.rename(target)
    elif not _swapped(fresh, target):
        retired = fresh.with_name(f"{fresh.name}.old")
        target.rename(retired)
        fresh.rename(target)
        retired.rename(fresh)


def sync_folder(folder: Path) -> None:
    """Wait until the folder's own entries (created, renamed) are on the disk."""
    if sys.platform == "win32":
        return  # folders cannot be opened there
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _swapped(first: Path, second: Path) -> bool:
    """Whether the kernel swapped the two names in one step."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False  # not Linux, or a C library without the call
    names = os.fsencode(first), os.fsencode(second)
    return bool(renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0)
