"""Files in the IDX format of MNIST, plain or compressed by gzip."""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.data.images import DataError

# The code of a type in the third byte of a file; numbers are stored with the highest byte first.
TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
HEAD = 4  # bytes before the sizes
MAX_DIMENSIONS = 4


def read_idx(path: Path) -> NDArray[np.generic]:
    """The array of an IDX file, in the byte order of this machine.

    Raises:
        DataError: the file is damaged, or is another one.
    """
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"The file {path} cannot be read ({error}); get it again.") from error
    found = fault(content)
    if found:
        raise DataError(
            f"The file {path} is not a complete IDX file: found {found}; get it again, or remove "
            "it if it does not belong to the data set."
        )
    dimensions = content[3]
    kind = np.dtype(TYPES[content[2]])
    array = np.frombuffer(content, kind, offset=HEAD + 4 * dimensions).reshape(_sizes(content))
    return array.astype(kind.newbyteorder("="))


def fault(content: bytes) -> str | None:
    """What is wrong with the content of an IDX file; None if nothing is."""
    dimensions = content[3] if len(content) > HEAD else 0
    known = content[:2] == b"\0\0" and content[2:3] and content[2] in TYPES
    if not known or not 1 <= dimensions <= MAX_DIMENSIONS:
        return f"a file that begins with {content[:4].hex() or 'nothing'}"
    wanted = math.prod(_sizes(content)) * np.dtype(TYPES[content[2]]).itemsize
    size = len(content) - HEAD - 4 * dimensions
    if size != wanted or size == 0:
        return f"{size} bytes of data, where its head announces {wanted}"
    return None


def _sizes(content: bytes) -> list[int]:
    parts = range(HEAD, HEAD + 4 * content[3], 4)
    return [int.from_bytes(content[part : part + 4], "big") for part in parts]
