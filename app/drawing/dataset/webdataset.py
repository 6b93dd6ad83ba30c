"""Data sets as tar shards for WebDataset: the files of a picture share the beginning of a name."""

import json
import tarfile
from functools import lru_cache

from app.drawing.dataset.encoder import encode_pngs, label_names, label_values
from app.drawing.dataset.section import Batch, Section

BLOCK = 512  # bytes
NAME, SIZE, CHECKSUM = slice(0, 100), slice(124, 136), slice(148, 156)  # in a header
PADDING = bytes(BLOCK)


class WebDatasetEncoder:
    """For each picture `ROW.png`, and `ROW.cls` with its digit or `ROW.txt` with its number.

    `ROW.json` has text, writer and boxes, where writers or boxes are asked for.
    """

    def __init__(self, section: Section) -> None:
        self._section = section
        self._columns = label_names(section)
        self._ending = "cls" if section.longest == 1 else "txt"

    def begin(self) -> bytes:
        """See `Encoder.begin`."""
        return b""

    def add(self, batch: Batch) -> bytes:
        """See `Encoder.add`."""
        parts: list[bytes] = []
        pictures = encode_pngs(self._section, batch)
        rows = zip(pictures, *label_values(self._section, batch), strict=True)
        for row, (picture, *values) in enumerate(rows, batch.first):
            name = f"{row:010d}"
            parts += _member(f"{name}.png", picture)
            parts += _member(f"{name}.{self._ending}", str(values[0]).encode())
            if len(values) > 1:
                facts = dict(zip(self._columns, values, strict=True))
                parts += _member(f"{name}.json", json.dumps(facts).encode())
        return b"".join(parts)

    def end(self) -> bytes:
        """See `Encoder.end`."""
        return bytes(2 * BLOCK)


def _member(name: str, content: bytes) -> tuple[bytes, bytes, bytes]:
    """The header, content and padding of a file.

    Made for speed: `tarfile` takes longer for a header than the engine for a digit. Only name,
    size and checksum differ from the header that it makes once.
    """
    between, middle, rest, total = _header()
    spelled, size = name.encode(), b"%011o" % len(content)
    checksum = b"%06o\0 " % (total + sum(spelled) + sum(size))
    header = b"".join((spelled.ljust(NAME.stop, b"\0"), between, size, middle, checksum, rest))
    return header, content, PADDING[: -len(content) % BLOCK]


@lru_cache(maxsize=1)
def _header() -> tuple[bytes, bytes, bytes, int]:
    """The header of an empty file: what follows name, size and checksum, and its sum.

    The sum is that of a header without name and size, whose checksum counts as spaces.
    """
    header = tarfile.TarInfo("").tobuf(tarfile.USTAR_FORMAT)
    between, middle = header[NAME.stop : SIZE.start], header[SIZE.stop - 1 : CHECKSUM.start]
    rest = header[CHECKSUM.stop :]
    spaces = ord(" ") * (CHECKSUM.stop - CHECKSUM.start)
    return between, middle, rest, sum(between) + sum(middle) + spaces + sum(rest)
