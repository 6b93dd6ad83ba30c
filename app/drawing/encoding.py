"""Still pictures as files of each format, with the facts that reproduce them."""

import base64
import io
import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from app.drawing.canvas import enlarge
from app.drawing.palette import Palette, palette_of
from app.request.line import MARKS
from app.request.morph import MorphQuery
from app.request.schemas import Drawing, LatentMapQuery

MEDIA_TYPES = {  # in order of preference, where a client accepts several
    "png": "image/png",
    "webp": "image/webp",
    "svg": "image/svg+xml",
    "npy": "application/octet-stream",
    "json": "application/json",
}
ANIMATION_MEDIA_TYPES = {"webp": "image/webp", "gif": "image/gif", "apng": "image/apng"}
SIGNATURE = b"\x89PNG\r\n\x1a\n"
END = b"\0\0\0\0IEND\xaeB`\x82"  # the empty chunk IEND with its checksum
DATA = b"IDAT"
DATA_CHECKSUM = isal_zlib.crc32(DATA)  # that of a chunk goes on from there
GREY, INDEXED = 0, 3  # PNG's colour types
SHEET = 2  # dimensions of a sheet
LARGE = 2**16  # pixels from which a higher compression level saves bytes at no cost of time
IMAGE_DESCRIPTION = 0x010E  # the EXIF tag for text about a picture

Levels = NDArray[np.uint8]
Facts = Mapping[str, str]


def encode(query: Drawing | LatentMapQuery, levels: Levels, title: str, facts: Facts) -> bytes:
    """A picture as a file of the format, in the colours and at the scale of its query.

    Args:
        query: the format None means PNG.
        levels: (H, W) uint8 grey levels, not enlarged; for JSON the digits (R, N, H, W).
        title: the digits that it shows, for readers who cannot see it.
        facts: how to reproduce the picture.
    """
    palette = palette_of(query.ink, query.paper)
    if query.format == "svg":
        from app.drawing.svg import encode_svg  # on first use: the start does not need it

        return encode_svg(levels, title, facts, palette, query.scale, query.pen)
    pixels = rendered(query, levels)
    match query.format:
        case None | "png":
            return encode_png(pixels, facts, palette)
        case "webp":
            return encode_webp(pixels, facts, palette)
        case "npy":
            return encode_npy(pixels)
        case "json":
            return encode_json(pixels, query, facts, palette)


def rendered(query: Drawing | LatentMapQuery | MorphQuery, levels: Levels) -> Levels:
    """Grey levels (..., H, W) at the scale of a query, as pixels or as ink."""
    if query.render == "pixels":
        return enlarge(levels, query.scale)
    from app.drawing.ink import coverage  # on first use: the start does not need it

    if levels.ndim == SHEET:
        return coverage(levels, query.scale, query.pen)
    return np.stack([rendered(query, part) for part in levels])


def encode_png(sheet: Levels, facts: Facts, palette: Palette | None = None) -> bytes:
    """An 8-bit PNG, grey or indexed.

    Made for speed, because this runs for every request: colours are a palette of the same
    levels, rows are not filtered, and Intel's ISA-L compresses them at its fastest. For four
    digits that takes 7 us instead of 63 us with zlib's cheapest strategy, for a quarter more
    bytes.

    Args:
        sheet: (H, W) uint8 grey levels.
        facts: keyword (1 to 79 Latin-1 characters) -> value, as text.
        palette: None for white ink on black paper.
    Source: W3C, Portable Network Graphics (third edition), sections 5, 11.2 and 11.3.
    """
    height, width = sheet.shape
    rows = np.zeros((height, width + 1), dtype=np.uint8)  # column 0: filter type 0, none
    rows[:, 1:] = sheet
    contents = _colours(palette)
    beginning = _beginning(width, height, INDEXED if contents else GREY)
    contents += [_text_chunk(word, text) for word, text in facts.items()]
    return b"".join([beginning, *_chunks(contents), *_data(_packed(rows)), END])


def encode_png_batch(images: Levels, sizes: NDArray[np.intp], palette: Palette) -> list[bytes]:
    """A PNG of each of many pictures, without facts: the bytes of `encode_png`, in less time.

    Args:
        images: (N, H, W) uint8 grey levels.
        sizes: (N, 2) height and width of the part of each image that is the picture.
        palette: ink and paper.
    """
    count, height, width = images.shape
    rows = np.zeros((count, height, width + 1), dtype=np.uint8)  # column 0 as in `encode_png`
    rows[:, :, 1:] = images
    colours = _colours(palette)
    kind, between = (INDEXED if colours else GREY), b"".join(_chunks(colours))
    parts: Iterable[Levels] = rows
    heads = [_beginning(width, height, kind) + between] * count
    if (sizes != (height, width)).any():
        ends = sizes.tolist()
        heads = [_beginning(wide, high, kind) + between for high, wide in ends]
        cut = zip(rows, ends, strict=True)
        parts = (np.ascontiguousarray(row[:high, : wide + 1]) for row, (high, wide) in cut)
    packed = [_packed(part) for part in parts]  # all at once, which the processor's cache rewards
    return [b"".join((head, *_data(data), END)) for head, data in zip(heads, packed, strict=True)]


def encode_webp(sheet: Levels, facts: Facts, palette: Palette) -> bytes:
    """A lossless WebP; the facts are JSON in EXIF's ImageDescription."""
    # Imported on first use: the service starts and draws PNG without Pillow.
    from PIL import Image

    exif = Image.Exif()
    exif[IMAGE_DESCRIPTION] = json.dumps(dict(facts))
    file = io.BytesIO()
    picture = Image.fromarray(palette.paint(sheet))
    picture.save(file, "WEBP", lossless=True, quality=25, method=0, exif=exif.tobytes())
    return file.getvalue()


def encode_npy(sheet: Levels) -> bytes:
    """The levels (H, W) uint8 as numpy's own file."""
    header, content = io.BytesIO(), np.ascontiguousarray(sheet)
    np.lib.format.write_array_header_1_0(header, np.lib.format.header_data_from_array_1_0(content))
    return b"".join((header.getvalue(), content.data))  # one copy: sheets can be large


def encode_json(
    pictures: Levels, query: Drawing | LatentMapQuery, facts: Facts, palette: Palette
) -> bytes:
    """The facts, and each digit as its own PNG in base64.

    Args:
        pictures: (R, N, H, W) uint8 grey levels.
        query: of a line.
        facts: how to reproduce the picture.
        palette: ink and paper of the PNGs.
    """
    assert isinstance(query, Drawing)  # maps have no such form
    names = [_named(name, query) for name in query.alphabet.split(query.written)]
    document = {**facts, "lines": [_line_json(line, names, palette) for line in pictures]}
    return json.dumps(document).encode()


def _named(name: str, query: Drawing) -> Facts:
    """What a picture of a line shows: nothing, where there are no labels."""
    if query.marked is not None and name in MARKS:
        return {"mark": name}  # drawn by rule, not by the model
    kind = "digit" if query.alphabet.kind == "digits" else "label"
    return {kind: name} if name else {}


def _line_json(line: Levels, names: Sequence[Facts], palette: Palette) -> Sequence[Facts]:
    pictures = [base64.b64encode(encode_png(picture, {}, palette)).decode() for picture in line]
    return [{**name, "png": png} for name, png in zip(names, pictures, strict=True)]


def _colours(palette: Palette | None) -> list[bytes]:
    """The chunks of the colours; none for grey levels."""
    if palette is None or palette.grey:
        return []
    contents = [b"PLTE" + palette.colours.tobytes()]
    if palette.opacities is not None:
        contents.append(b"tRNS" + palette.opacities.tobytes())
    return contents


def _packed(rows: Levels) -> bytes:
    """The rows of a PNG, compressed."""
    return isal_zlib.compress(rows, 0 if rows.size < LARGE else 1)


def _data(packed: bytes) -> tuple[bytes, ...]:
    """The parts of the chunk of the pixels: as `_chunk`, without another copy of the data."""
    checksum = isal_zlib.crc32(packed, DATA_CHECKSUM).to_bytes(4, "big")
    return len(packed).to_bytes(4, "big"), DATA, packed, checksum


def _text_chunk(word: str, text: str) -> bytes:
    """A fact as tEXt, which is Latin-1; any other text as iTXt, which is UTF-8."""
    try:
        return f"tEXt{word}\0{text}".encode("latin-1")
    except UnicodeEncodeError:
        return f"iTXt{word}\0\0\0\0\0{text}".encode()


@lru_cache(maxsize=256)
def _beginning(width: int, height: int, colour_type: int) -> bytes:
    """Signature and IHDR of an 8-bit PNG. Cached, because most pictures have the same few sizes."""
    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    return b"".join([SIGNATURE, *_chunks([b"IHDR" + header])])


def _chunks(contents: Sequence[bytes]) -> list[bytes]:
    """The parts of chunks of a PNG, see `_chunk`."""
    return [part for content in contents for part in _chunk(content)]


def _chunk(content: bytes) -> tuple[bytes, bytes, bytes]:
    """The parts of a chunk of a PNG; the content begins with the 4 bytes of its type."""
    checksum = isal_zlib.crc32(content).to_bytes(4, "big")
    return (len(content) - 4).to_bytes(4, "big"), content, checksum
