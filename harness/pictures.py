"""Picture files that cost as much to decode as their kind allows, all blank, or much to read."""

import io
import struct
import zlib
from collections.abc import Sequence
from itertools import product

import numpy as np
from PIL import Image, ImageDraw

PNG_START = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by the colour type of a PNG
PAETH = 4  # the most expensive filter of a PNG
PASSES = (  # of an interlaced PNG: first column and row, step across and down
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
    *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
)

START, END = b"\xff\xd8", b"\xff\xd9"  # of a JPEG
GREY, COLOUR, CMYK = ("11",), ("11", "11", "11"), ("11", "11", "11", "11")  # sampling
REDUCED_COLOUR = ("22", "11", "11")
BASELINE, PROGRESSIVE = 0xC0, 0xC2
AC_FIRST, AC_AGAIN = b"\x01\x3f\x01", b"\x01\x3f\x10"  # all but the first coefficient of a block

LENGTHS_ORDER = (17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
ONE_SYMBOL = "1000"  # a Huffman code that takes no bits


def png(
    width: int,
    height: int,
    colour: int = 0,
    bits: int = 8,
    interlaced: bool = False,
    more: bytes = b"",
) -> bytes:
    """A PNG.

    Args:
        width: in pixels.
        height: in pixels.
        colour: its colour type.
        bits: of a level.
        interlaced: whether it is.
        more: chunks between its header and its data.
    """
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced)
    packer = zlib.compressobj()
    data = b""
    for left, top, across, down in PASSES if interlaced else ((0, 0, 1, 1),):
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        row = bytes([PAETH]) + bytes((columns * CHANNELS[colour] * bits + 7) // 8)
        data += b"".join(packer.compress(row) for _ in range(rows if columns > 0 else 0))
    data += packer.flush()
    palette = chunk(b"PLTE", bytes(768)) if colour == 3 else b""
    parts = chunk(b"IHDR", header), palette, more, chunk(b"IDAT", data), chunk(b"IEND", b"")
    return PNG_START + b"".join(parts)


def chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def turned_exif(entries: int = 0, size: int = 0) -> bytes:
    """EXIF that turns the picture by a quarter.

    Args:
        entries: that stand before the orientation.
        size: in bytes, of the value of each of them; all are the same bytes.
    """
    values = struct.pack("<HHII", 0x9000, 7, size, 8) * entries
    turn = struct.pack("<HHII", 0x0112, 3, 1, 6)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", entries + 1) + values + turn + bytes(size)


def jpeg(width: int, height: int, sampling: Sequence[str] = GREY, scans: int = 0) -> bytes:
    """A JPEG: baseline, or progressive with a number of scans after the first.

    Args:
        width: in pixels.
        height: in pixels.
        sampling: factors across and down of each component, in digits.
        scans: each goes over all coefficients of the first component, and needs few bytes for it.
    """
    components = b"".join(
        bytes([number, int(factors, 16), 0]) for number, factors in enumerate(sampling, 1)
    )
    frame = struct.pack(">BHHB", 8, height, width, len(sampling)) + components
    parts = [START, segment(0xDB, bytes(1) + b"\1" * 64)]
    parts.append(segment(PROGRESSIVE if scans else BASELINE, frame))
    parts.append(segment(0xC4, b"\0" + _huffman({1: [0]})))
    # AC: an end of 1 block takes 2 bits, one of 2^14 blocks and more 1 bit and 14 for the number.
    parts.append(segment(0xC4, b"\x10" + _huffman({1: [0xE0], 2: [0]} if scans else {1: [0]})))
    across, down = (max(int(factors[i]) for factors in sampling) for i in (0, 1))
    units = -(-width // (8 * across)) * -(-height // (8 * down))
    blocks = units * sum(int(f[0]) * int(f[1]) for f in sampling)
    parts.append(scan(range(1, len(sampling) + 1), b"\0\0\0" if scans else b"\0\x3f\0"))
    parts.append(bytes(blocks // 4 + 1))
    if scans:
        ends = _ends(-(-width // 8) * -(-height // 8))
        parts.append(scan([1], AC_FIRST) + ends)
        parts.append((scan([1], AC_AGAIN) + ends) * (scans - 1))
    return b"".join([*parts, END])


def segment(marker: int, content: bytes) -> bytes:
    """A segment of a JPEG."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def scan(components: Sequence[int], band: bytes) -> bytes:
    """The head of a scan."""
    chosen = b"".join(bytes([number, 0]) for number in components)
    return segment(0xDA, bytes([len(components)]) + chosen + band)


def _huffman(symbols: dict[int, list[int]]) -> bytes:
    """A table from the symbols by the length of their codes."""
    counts = bytes(len(symbols.get(length, [])) for length in range(1, 17))
    return counts + bytes(symbol for length in sorted(symbols) for symbol in symbols[length])


def _ends(blocks: int) -> bytes:
    """The data of a scan without coefficients."""
    runs, rest = divmod(blocks, 2**14)
    bits = ("0" + "0" * 14) * runs + "10" * rest
    whole = int(bits + "1" * (-len(bits) % 8), 2).to_bytes(-(-len(bits) // 8), "big")
    return whole.replace(b"\xff", b"\xff\0")


def lossy_webp(width: int, height: int) -> bytes:
    """A WebP of one colour."""
    file = io.BytesIO()
    Image.new("RGB", (width, height)).save(file, "WEBP")
    return file.getvalue()


def clear_webp(width: int, height: int) -> bytes:
    """A lossy WebP with transparency."""
    levels = np.zeros((height, width, 4), dtype=np.uint8)
    levels[::2, :, 3] = 255
    file = io.BytesIO()
    Image.fromarray(levels).save(file, "WEBP")
    return file.getvalue()


def lossless_webp(width: int, height: int, deep: bool = True) -> bytes:
    """A lossless WebP with a set of Huffman tables of its own for each 4 x 4 pixels.

    Args:
        width: in pixels.
        height: in pixels.
        deep: whether the tables are as large as possible, or as small.
    """
    blocks = -(-width // 4) * -(-height // 4)
    head = _low_first(0x2F, 8) + _low_first(width - 1, 14) + _low_first(height - 1, 14) + "0" * 6
    codes = "1" + "000"  # tables for blocks of 4 x 4: a picture of their numbers, as green and red
    codes += "0" + _code([8] * 256 + [0] * 24) + _code([8] * 256) + ONE_SYMBOL * 3
    numbers = "".join(f"{number & 255:08b}{number >> 8:08b}" for number in range(blocks))
    steps = [*range(1, 8)]
    green = _code([*steps, *[15] * 256, *[0] * 17]) if deep else ONE_SYMBOL
    other = _code([*steps, *[14] * 7, *[15] * 242]) if deep else ONE_SYMBOL
    tables = (green + other * 3 + ONE_SYMBOL) * blocks
    bits = head + codes + numbers + tables + "0" * (4 * width * height if deep else 0)
    data = np.packbits(np.frombuffer(bits.encode(), np.uint8) - ord("0"), bitorder="little")
    return riff(b"VP8L", data.tobytes())


def riff(name: bytes, content: bytes, more: bytes = b"") -> bytes:
    """A WebP of one chunk.

    Args:
        name: of the chunk.
        content: of the chunk.
        more: chunks behind it.
    """
    padded = content + b"\0" * (len(content) % 2)
    parts = b"WEBP" + name + struct.pack("<I", len(content)) + padded + more
    return b"RIFF" + struct.pack("<I", len(parts)) + parts


def marks(across: int, side: int = 512) -> bytes:
    """A PNG of a square full of digits in print, `across` in each row and column."""
    picture = Image.new("L", (side, side), "white")
    draw = ImageDraw.Draw(picture)
    step = side // across
    for number, (row, column) in enumerate(product(range(across), repeat=2)):
        place = (column * step + step // 4, row * step)
        draw.text(place, str(number % 10), fill="black", font_size=step)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _low_first(number: int, count: int) -> str:
    return f"{number:0{count}b}"[::-1]


def _code(lengths: list[int]) -> str:
    """A Huffman code of a lossless WebP, by the length of the code of each symbol."""
    used = sorted(set(lengths))
    width = max(1, (len(used) - 1).bit_length())
    used += [length for length in range(16) if length not in used][: 2**width - len(used)]
    of_lengths = "".join(_low_first(width * (n in used), 3) for n in LENGTHS_ORDER)
    ranks = {length: rank for rank, length in enumerate(sorted(used))}
    of_symbols = "".join(f"{ranks[length]:0{width}b}" for length in lengths)
    return "0" + _low_first(len(LENGTHS_ORDER) - 4, 4) + of_lengths + "0" + of_symbols
