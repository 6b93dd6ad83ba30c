"""Replace a file or a folder in one step: a crash leaves the old content or the new, never a mix.

A file is replaced by `os.replace`. Two folders are swapped by one system call on Linux; other
systems need several renames, and between two of them nothing exists at the target.
"""

import ctypes
import os
from pathlib import Path

_AT_FDCWD = -100  # linux/fcntl.h
_RENAME_EXCHANGE = 2  # linux/fs.h


def replace_file(path: Path, data: bytes) -> None:
    """Write `data` to a temporary file beside `path`, sync it to the disk, and rename it to `path`.

    Raises:
        OSError: writing failed; the content of `path` is unchanged.
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
    """Write `data` to a new file and sync it to the disk."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def exchange(fresh: Path, target: Path) -> None:
    """Move the folder `fresh` to `target`; an existing `target` is at `fresh` afterwards.

    Raises:
        OSError: the file system refused; both folders are unchanged.
    """
    if not target.exists():
        fresh.rename(target)
    elif not _swapped(fresh, target):
        retired = fresh.with_name(f"{fresh.name}.old")
        target.rename(retired)
        fresh.rename(target)
        retired.rename(fresh)


def sync_folder(folder: Path) -> None:
    """Sync the folder's own entries, such as a file created or renamed in it, to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _swapped(first: Path, second: Path) -> bool:
    """Whether the kernel swapped the two names in one step."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False  # not Linux, or a C library without the call
    names = os.fsencode(first), os.fsencode(second)
    return bool(renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0)
