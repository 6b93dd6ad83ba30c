"""A ZIP archive of stored files, made piece by piece.

Made for speed: `zipfile` takes longer for a small file than the engine for a digit. The bytes are
those of `zipfile` where it cannot seek: the checksum and the size of a file follow its content.

Source: PKWARE, .ZIP File Format Specification (APPNOTE.TXT), sections 4.3, 4.4 and 4.5.3.
"""

import struct
from typing import TypeVar

from isal import isal_zlib

from app.drawing.dataset.files import Piece

FILE, DESCRIPTOR, ENTRY, END = b"PK\3\4", b"PK\7\b", b"PK\1\2", b"PK\5\6"
LARGE_END, LARGE_END_PLACE = b"PK\6\6", b"PK\6\7"
HEADER = struct.Struct("<4s5H3L2H")  # of a file
DIRECTORY_HEADER = struct.Struct("<4s6H3L5H2L")  # of a file in the directory
LARGE = 2**31  # bytes from which sizes and places take 64 bits
MOST_ENTRIES = 2**16 - 1  # that the short form of the end can count
VERSION, LARGE_VERSION = 20, 45  # of the format that a reader must know
UNIX = 3 << 8  # the system that made the archive
SIZES_FOLLOW, UTF8 = 1 << 3, 1 << 11  # flags
DATE = 33  # 1980-01-01, the earliest, so that a request gives the same bytes
MODE = 0o600 << 16
IN_64_BITS = 0xFFFFFFFF  # in the place of a number that is
AnyPiece = TypeVar("AnyPiece", bound=Piece)


class ZipWriter:
    """Each method returns the next bytes of the archive."""

    def __init__(self) -> None:
        self._size = 0  # bytes of the archive so far
        self._entries: list[bytes] = []  # its directory
        self._name, self._flags = b"", 0  # of the open file
        self._place, self._length, self._checksum = 0, 0, 0

    def file(self, name: str, content: bytes) -> bytes:
        """A whole file."""
        return b"".join((self.begin(name, len(content)), self.add(content), self.end_file()))

    def begin(self, name: str, length: int) -> bytes:
        """The head of a file of so many bytes."""
        self._name, self._flags = name.encode(), 0 if name.isascii() else UTF8
        self._place, self._length, self._checksum = self._size, length, 0
        large = length >= LARGE
        size, extra = (IN_64_BITS, struct.pack("<2H2Q", 1, 16, 0, 0)) if large else (0, b"")
        head = HEADER.pack(
            FILE,
            *(LARGE_VERSION if large else VERSION, SIZES_FOLLOW | self._flags, 0, 0, DATE, 0),
            *(size, size, len(self._name), len(extra)),
        )
        return self._counted(head + self._name + extra)

    def add(self, content: Piece) -> Piece:
        """The next bytes of the file."""
        self._checksum = isal_zlib.crc32(content, self._checksum)
        return self._counted(content)

    def end_file(self) -> bytes:
        """The end of the file, all bytes of which have been added."""
        length, large = self._length, self._length >= LARGE
        self._entries.append(self._entry())
        sizes = "<4sL2Q" if large else "<4s3L"
        return self._counted(struct.pack(sizes, DESCRIPTOR, self._checksum, length, length))

    def end(self) -> bytes:
        """The directory, with which the archive ends."""
        place, count = self._size, len(self._entries)
        directory = b"".join(self._entries)
        parts = [directory]
        if count > MOST_ENTRIES or place >= LARGE or len(directory) >= LARGE:
            facts = LARGE_VERSION, LARGE_VERSION, 0, 0, count, count, len(directory), place
            parts.append(struct.pack("<4sQ2H2L4Q", LARGE_END, 44, *facts))
            parts.append(struct.pack("<4sLQL", LARGE_END_PLACE, 0, place + len(directory), 1))
        count, size = min(count, MOST_ENTRIES), min(len(directory), IN_64_BITS)
        place = min(place, IN_64_BITS)
        parts.append(struct.pack("<4s4H2LH", END, 0, 0, count, count, size, place, 0))
        return b"".join(parts)

    def _entry(self) -> bytes:
        """The file in the directory."""
        length, place = self._length, self._place
        wide = [length, length] if length >= LARGE else []
        wide += [place] if place >= LARGE else []
        extra = struct.pack(f"<2H{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
        version = LARGE_VERSION if wide else VERSION
        size = IN_64_BITS if length >= LARGE else length
        head = DIRECTORY_HEADER.pack(
            ENTRY,
            *(UNIX | version, version, SIZES_FOLLOW | self._flags, 0, 0, DATE),
            *(self._checksum, size, size, len(self._name), len(extra)),
            *(0, 0, 0, MODE, IN_64_BITS if place >= LARGE else place),
        )
        return head + self._name + extra

    def _counted(self, piece: AnyPiece) -> AnyPiece:
        self._size += len(piece)
        return piece
