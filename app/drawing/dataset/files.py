"""Ways to write files: complete or not there, at a place in a file, and many small ones."""

import errno
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

Piece = bytes | memoryview  # of a file

NEW, MODE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644


def write_whole(path: Path, pieces: Iterable[Piece]) -> int:
    """Write a file through a temporary neighbour, so that it is complete or not there.

    Returns:
        Its bytes.
    Raises:
        OSError: the file cannot be written; there is nothing new then.
    """
    temporary = path.with_name(f".{path.name}.part")  # after a kill, the next run replaces it
    try:
        with temporary.open("wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        temporary.replace(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)
    return size


def write_into(path: Path, place: int, pieces: Iterable[Piece]) -> int:
    """Write bytes into an existing file, from a place on; their number.

    Raises:
        OSError: the file cannot be written.
    """
    with path.open("r+b") as file:
        file.seek(place)
        file.writelines(pieces)
        file.flush()
        os.fsync(file.fileno())
        return file.tell() - place


def write_small(folder: Path, names: Sequence[str], contents: Sequence[bytes]) -> None:
    """Write small files below a folder, in as few calls as there are and with short paths.

    Raises:
        OSError: a file cannot be written.
    """
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for name, content in zip(names, contents, strict=True):
            file = os.open(name, NEW, MODE, dir_fd=place)
            try:
                if os.write(file, content) < len(content):  # there was no room for the rest
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder / name))
            finally:
                os.close(file)
    finally:
        os.close(place)
