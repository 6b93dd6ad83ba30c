"""Ways to write files: complete or not there, at a place in a file, and many small ones."""

import os
from collections.abc import Iterable
from pathlib import Path


def write_whole(path: Path, pieces: Iterable[bytes]) -> int:
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


def write_into(path: Path, place: int, pieces: Iterable[bytes]) -> int:
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


def write_small(path: str, content: bytes) -> None:
    """Write a small file in as few calls as there are.

    Raises:
        OSError: the file cannot be written.
    """
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        os.write(file, content)
    finally:
        os.close(file)
