"""Picture files, read without decoding them: what decoding would cost, and what it needs.

A decoder works through all that a file contains: texts that unpack to a thousand times their size,
EXIF whose entries repeat the same bytes, any number of scans. So a decoder is given only the parts
that decide the pixels, and only if its memory and time for them are known to be small.
"""

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from app.request.error import Reason, RequestError

MAX_SIDE = 2**14  # pixels; a decoder keeps some bytes for each row
MAX_PARTS = 10_000  # of a file, such as the chunks of a PNG
MAX_SCANS = 24  # of a JPEG: each may take 45 ms; usual are 1 to 18
MAX_COEFFICIENTS = 40_000_000  # of a JPEG of several scans; each is kept, in 2 bytes
MAX_EXIF_ENTRIES = 1000
EXIF = b"Exif\0\0"
ORIENTATION = 0x0112

PNG_START = b"\x89PNG\r\n\x1a\n"
PNG_PARTS = frozenset({b"PLTE", b"tRNS", b"IDAT", b"IEND"})
PNG_HEADER_SIZE = 25  # bytes, with length, name and checksum
COLOURS_WITH_ALPHA = frozenset({4, 6})

JPEG_START, JPEG_END = b"\xff\xd8", b"\xff\xd9"
MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")  # the rest may be within a scan
BITS = 8  # of a level
LENGTH_SIZE = 2  # bytes of a segment that state its length
WINDOW = 2**18  # bytes that are searched in one call, in which no other thread runs
PROGRESSIVE, SCAN, APP1 = 0xC2, 0xDA, 0xE1
FRAMES = frozenset({0xC0, 0xC1, PROGRESSIVE})  # lossy and Huffman-coded, as browsers read them
NOT_ALLOWED = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xD8}  # other or second frames
JPEG_PARTS = FRAMES | {0xC4, 0xDB, 0xDD, 0xE0, 0xEE, SCAN}  # tables, restarts, JFIF, Adobe

WEBP_PARTS = frozenset({b"VP8 ", b"VP8L", b"ALPH", b"EXIF"})
VP8_START, VP8L_START = b"\x9d\x01\x2a", 0x2F
ALPHA_FLAG = 0x10


class Kind(NamedTuple):
    """A kind of picture files.

    Attributes:
        name: what to call it.
        format: Pillow's name of the format.
        most: pixels of a picture; a decoder then takes at most 90 MB.
    """

    name: str
    format: str
    most: int


PNG = Kind("PNG", "PNG", 2**24)  # in colour, 5 bytes a pixel
CLEAR_PNG = Kind("PNG with transparency", "PNG", 2**23)  # 9 bytes a pixel
JPEG = Kind("JPEG", "JPEG", 2**26)  # decoded to as little as 1/64 of the pixels
WEBP = Kind("WebP", "WEBP", 5 * 2**20)  # 17 bytes a pixel
# Lossless coding, which transparency uses too, may have tables of 20 KB for each 16 pixels.
LOSSLESS_WEBP = Kind("lossless or transparent WebP", "WEBP", 2**16)


class PictureFile(NamedTuple):
    """A picture file that can be decoded within known limits.

    Attributes:
        kind: its kind; for a JPEG of several scans, with a limit of its own.
        content: the file, with nothing that does not decide its pixels.
        width: in pixels.
        height: in pixels.
        orientation: 1 to 8, as in EXIF.
    """

    kind: Kind
    content: bytes
    width: int
    height: int
    orientation: int

    @property
    def share(self) -> float:
        """Its pixels, as a fraction of those that one picture of its kind may have."""
        return self.width * self.height / self.kind.most


def read_picture_file(content: bytes) -> PictureFile:
    """What a PNG, JPEG or WebP contains.

    Raises:
        RequestError: it is of another kind or damaged (UNSUPPORTED_TYPE), or has too many pixels,
            parts or scans (TOO_LARGE).
    """
    reader = next((READERS[start] for start in READERS if content.startswith(start)), None)
    if reader is None:
        raise no_picture()
    try:
        file = reader(content)
    except struct.error as error:  # it ends too early
        raise no_picture() from error
    if not file.width * file.height:
        raise no_picture()
    if file.share > 1:
        raise too_large(
            f"A {file.kind.name} may have at most {file.kind.most} pixels; make the picture "
            "smaller."
        )
    if max(file.width, file.height) > MAX_SIDE:
        raise too_large(f"A side of the picture is over {MAX_SIDE} pixels; make it smaller.")
    return file


def no_picture() -> RequestError:
    """The refusal of what is not a picture."""
    return RequestError(
        Reason.UNSUPPORTED_TYPE,
        "The upload is not a complete image; send PNG, JPEG or WebP.",
    )


def too_large(sentence: str) -> RequestError:
    """The refusal of a picture that would take too much to decode."""
    return RequestError(Reason.TOO_LARGE, sentence)


def _read_png(content: bytes) -> PictureFile:
    kept, clear, orientation = [PNG_START], False, 1
    for name, begin, end in _png_chunks(content):
        if len(kept) == 1:
            if (name, end - begin) != (b"IHDR", PNG_HEADER_SIZE):
                raise no_picture()
            width, height, _, colour = struct.unpack_from(">IIBB", content, begin + 8)
            clear = colour in COLOURS_WITH_ALPHA
            kept.append(content[begin:end])
        elif name in PNG_PARTS:
            kept.append(content[begin:end])
            clear |= name == b"tRNS"
        elif name == b"eXIf":
            orientation = _orientation(content[begin + 8 : end - 4])
    kind = CLEAR_PNG if clear else PNG
    return PictureFile(kind, b"".join(kept), width, height, orientation)


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, begin and end of each chunk: 8 bytes, its data, and 4 bytes."""
    end = len(PNG_START)
    for _ in range(MAX_PARTS):
        begin = end
        length, name = struct.unpack_from(">I4s", content, begin)
        end = begin + length + 12
        if end > len(content):
            raise no_picture()
        yield name, begin, end
        if name == b"IEND":
            return
    raise _too_many_parts()


def _read_jpeg(content: bytes) -> PictureFile:
    kept, frame, scans, orientation = [JPEG_START], b"", [], None
    for marker, begin, end in _jpeg_segments(content):
        if marker == SCAN:
            scans.append(content[begin + 4])  # number of its components
        elif marker in FRAMES and not frame:
            frame = bytes([marker]) + content[begin + 4 : end]
        elif marker in NOT_ALLOWED:
            raise no_picture()
        elif marker == APP1 and orientation is None and content.startswith(EXIF, begin + 4):
            orientation = _orientation(content[begin + 4 : end])
        if marker in JPEG_PARTS:
            kept.append(content[begin:end])
        if len(scans) > MAX_SCANS:
            raise too_large(f"A JPEG may have at most {MAX_SCANS} scans; save it as baseline JPEG.")
    marker, precision, height, width, components = struct.unpack_from(">BBHHB", frame)
    if precision != BITS or not scans or len(frame) != 7 + 3 * components:
        raise no_picture()
    several = marker == PROGRESSIVE or len(scans) > 1 or scans[0] < components
    kind = _jpeg_of_several_scans(frame[8::3]) if several else JPEG
    return PictureFile(kind, b"".join([*kept, JPEG_END]), width, height, orientation or 1)


def _jpeg_segments(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, begin and end of each segment; that of a scan has all of its data."""
    end = len(JPEG_START)
    for _ in range(MAX_PARTS):
        begin = _next_marker(content, end)
        if content.startswith(JPEG_END, begin):
            return
        marker, length = struct.unpack_from(">BH", content, begin + 1)
        end = begin + 2 + length
        if length < LENGTH_SIZE or end > len(content):
            raise no_picture()
        if marker == SCAN:
            end = _next_marker(content, end)
        yield marker, begin, end
    raise _too_many_parts()


def _next_marker(content: bytes, begin: int) -> int:
    while begin < len(content):
        found = MARKER.search(content, begin, begin + WINDOW + 1)
        if found:
            return found.start()
        begin += WINDOW
    raise no_picture()


def _jpeg_of_several_scans(sampling: bytes) -> Kind:
    """The kind of a JPEG whose coefficients are all kept until the last scan.

    Args:
        sampling: factors of each component, across and down in 4 bits each.
    """
    factors = [(factor >> 4, factor & 15) for factor in sampling]
    most = max(across for across, _ in factors) * max(down for _, down in factors)
    coefficients = sum(across * down for across, down in factors)  # for `most` pixels
    if not coefficients:
        raise no_picture()
    return Kind("JPEG of several scans", "JPEG", MAX_COEFFICIENTS * most // coefficients)


def _read_webp(content: bytes) -> PictureFile:
    chunks = _webp_chunks(content)
    alpha, exif = chunks.get(b"ALPH", b""), chunks.get(b"EXIF", b"")
    if picture := chunks.get(b"VP8L", b""):
        start, sides = struct.unpack_from("<BI", picture, 8)
        width, height, alpha = (sides & 0x3FFF) + 1, (sides >> 14 & 0x3FFF) + 1, b""
    else:
        picture = chunks.get(b"VP8 ", b"")
        start, width, height = struct.unpack_from("<3sHH", picture, 11)
        width, height = width & 0x3FFF, height & 0x3FFF
    if start not in (VP8_START, VP8L_START):
        raise no_picture()
    if alpha:
        canvas = struct.pack("<IHBHB", ALPHA_FLAG, width - 1, 0, height - 1, 0)
        picture = _webp_chunk(b"VP8X", canvas) + alpha + picture
    kind = WEBP if start == VP8_START and not alpha else LOSSLESS_WEBP
    file = _webp_chunk(b"RIFF", b"WEBP" + picture)
    return PictureFile(kind, file, width, height, _orientation(exif[8:]))


def _webp_chunks(content: bytes) -> dict[bytes, bytes]:
    """The chunks that are needed, by name, each with its header of 8 bytes."""
    chunks: dict[bytes, bytes] = {}
    (size,) = struct.unpack_from("<I", content, 4)
    begin, whole = 12, size + 8
    if content[8:12] != b"WEBP" or whole > len(content):
        raise no_picture()
    for _ in range(MAX_PARTS):
        if begin >= whole:
            return chunks
        name, length = struct.unpack_from("<4sI", content, begin)
        end = begin + 8 + length
        if end > whole:
            raise no_picture()
        if name in WEBP_PARTS and name not in chunks:
            chunks[name] = content[begin:end] + b"\0" * (length % 2)
        begin = end + length % 2
    raise _too_many_parts()


def _webp_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack("<4sI", name, len(data)) + data


def _too_many_parts() -> RequestError:
    return too_large(f"The file has more than {MAX_PARTS} parts; save the picture again.")


def _orientation(exif: bytes) -> int:
    """The orientation, 1 to 8; 1 where EXIF names none.

    Pillow would read every value of EXIF: 2 MB of entries that all point to the same 2 MB.
    """
    exif = exif.removeprefix(EXIF)
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return 1
    try:
        (begin,) = struct.unpack_from(order + "I", exif, 4)
        (count,) = struct.unpack_from(order + "H", exif, begin)
        for index in range(min(count, MAX_EXIF_ENTRIES)):
            tag, _, _, value = struct.unpack_from(order + "HHIH", exif, begin + 2 + 12 * index)
            if tag == ORIENTATION:
                return value if value in range(1, 9) else 1
    except struct.error:  # EXIF is damaged; the picture is not
        pass
    return 1


READERS = {PNG_START: _read_png, JPEG_START: _read_jpeg, b"RIFF": _read_webp}
