import io
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.drawing.picture_file import (
    CLEAR_PNG,
    JPEG,
    LOSSLESS_WEBP,
    MAX_PARTS,
    MAX_SCANS,
    MAX_SIDE,
    PNG,
    WEBP,
    Kind,
    PictureFile,
    read_picture_file,
)
from app.request.error import Reason, RequestError
from harness import pictures
from harness.launcher import ROOT
from harness.pictures import CMYK, COLOUR, GREY, REDUCED_COLOUR

INK = np.kron(np.random.default_rng(0).integers(0, 255, (9, 7, 3), np.uint8), np.ones((8, 8, 1)))
INK = INK.astype(np.uint8)
BLANK = pictures.png(8, 8)


def saved(kind: str, mode: str = "RGB", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(INK).convert(mode).save(file, kind, **options)
    return file.getvalue()


def refusal(content: bytes) -> tuple[Reason, str]:
    with pytest.raises(RequestError) as caught:
        read_picture_file(content)
    return caught.value.reason, str(caught.value)


def several(file: PictureFile) -> bool:
    return file.kind.name == "JPEG of several scans"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        *((saved("PNG", mode), PNG) for mode in ("1", "L", "P", "RGB", "I;16")),
        *((saved("PNG", mode), CLEAR_PNG) for mode in ("LA", "RGBA")),
        *((saved("PNG", mode, transparency=0), CLEAR_PNG) for mode in ("L", "P")),
        *((saved("JPEG", mode), JPEG) for mode in ("L", "RGB", "CMYK")),
        (saved("WEBP"), WEBP),
        (saved("WEBP", lossless=True), LOSSLESS_WEBP),
        (pictures.clear_webp(56, 72), LOSSLESS_WEBP),
    ],
)
def test_picture_file_has_its_kind_and_size_and_decodes_to_the_same(
    content: bytes, kind: Kind
) -> None:
    file = read_picture_file(content)
    assert (file.kind, file.width, file.height, file.orientation) == (kind, 56, 72, 1)
    assert file.share == 56 * 72 / kind.most
    kept, given = (Image.open(io.BytesIO(data)) for data in (file.content, content))
    assert kept.mode == given.mode
    assert np.array_equal(np.asarray(kept), np.asarray(given))


METADATA = {"exif": b"Exif\0\0" + pictures.turned_exif(), "icc_profile": b"profile" * 20_000}


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_picture_file_without_what_does_not_decide_its_pixels(kind: str) -> None:
    whole, bare = saved(kind, "RGB", **METADATA), saved(kind)
    file = read_picture_file(whole)
    assert file.orientation == 6
    assert file.content == read_picture_file(bare).content
    assert len(file.content) <= len(bare)


def test_picture_file_that_is_animated_is_its_first_picture_or_refused() -> None:
    frames = [Image.fromarray(INK), Image.fromarray(255 - INK)]
    file = io.BytesIO()
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:])
    still = Image.open(io.BytesIO(read_picture_file(file.getvalue()).content))
    assert np.array_equal(np.asarray(still), INK)
    frames[0].save(file := io.BytesIO(), "WEBP", save_all=True, append_images=frames[1:])
    assert refusal(file.getvalue())[0] is Reason.UNSUPPORTED_TYPE


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (pictures.png, PNG),
        (lambda w, h: pictures.png(w, h, colour=2, bits=16), PNG),
        (lambda w, h: pictures.png(w, h, colour=6), CLEAR_PNG),
        (lambda w, h: pictures.png(w, h, more=pictures.chunk(b"tRNS", b"\0\0")), CLEAR_PNG),
        (lambda w, h: pictures.jpeg(w, h, GREY), JPEG),
        (pictures.lossy_webp, WEBP),
        (pictures.clear_webp, LOSSLESS_WEBP),
        (lambda w, h: pictures.lossless_webp(w, h, deep=False), LOSSLESS_WEBP),
    ],
)
def test_picture_file_up_to_the_pixels_of_its_kind(
    make: Callable[[int, int], bytes], kind: Kind
) -> None:
    width = 2 ** (kind.most.bit_length() // 2)
    file = read_picture_file(make(width, kind.most // width))
    assert (file.kind, file.share) == (kind, 1)
    reason, sentence = refusal(make(width, kind.most // width + 1))
    assert reason is Reason.TOO_LARGE
    assert sentence == (
        f"A {kind.name} may have at most {kind.most} pixels; make the picture smaller."
    )


@pytest.mark.parametrize(
    ("sampling", "bytes_per_pixel"), [(GREY, 2), (COLOUR, 6), (CMYK, 8), (REDUCED_COLOUR, 3)]
)
def test_picture_file_of_several_scans_is_limited_by_its_coefficients(
    sampling: tuple[str, ...], bytes_per_pixel: int
) -> None:
    most = 80_000_000 // bytes_per_pixel
    file = read_picture_file(pictures.jpeg(4000, most // 4000, sampling, scans=1))
    assert several(file)
    assert file.kind.most == most
    reason, sentence = refusal(pictures.jpeg(4000, most // 4000 + 1, sampling, scans=1))
    assert reason is Reason.TOO_LARGE
    assert sentence.startswith(f"A JPEG of several scans may have at most {most} pixels;")


def test_picture_file_baseline_in_several_scans_counts_as_such() -> None:
    content = pictures.jpeg(8, 8)
    again = pictures.scan([1], b"\0\x3f\0") + b"\0"
    assert not several(read_picture_file(content))
    assert several(read_picture_file(content[:-2] + again + content[-2:]))
    colour = pictures.jpeg(8, 8, COLOUR)
    of_all, of_one = pictures.scan([1, 2, 3], b"\0\x3f\0"), pictures.scan([1], b"\0\x3f\0")
    assert several(read_picture_file(colour.replace(of_all, of_one)))


def test_picture_file_up_to_the_scans() -> None:
    assert several(read_picture_file(pictures.jpeg(64, 64, scans=MAX_SCANS - 1)))
    assert refusal(pictures.jpeg(64, 64, scans=MAX_SCANS)) == (
        Reason.TOO_LARGE,
        f"A JPEG may have at most {MAX_SCANS} scans; save it as baseline JPEG.",
    )


@pytest.mark.parametrize("make", [pictures.png, pictures.jpeg])
def test_picture_file_up_to_the_longest_side(make: Callable[[int, int], bytes]) -> None:
    sentence = f"A side of the picture is over {MAX_SIDE} pixels; make it smaller."
    for sides in ((1, MAX_SIDE), (MAX_SIDE, 1)):
        file = read_picture_file(make(*sides))
        assert (file.width, file.height) == sides
        longer = (side + (side == MAX_SIDE) for side in sides)
        assert refusal(make(*longer)) == (Reason.TOO_LARGE, sentence)


@pytest.mark.parametrize(
    "make",
    [
        lambda n: pictures.png(8, 8, more=pictures.chunk(b"tEXt", b"") * (n - 3)),
        lambda n: pictures.jpeg(8, 8).replace(
            pictures.START, pictures.START + pictures.segment(0xFE, b"") * (n - 6)
        ),
        lambda n: pictures.riff(b"VP8 ", pictures.lossy_webp(8, 8)[20:], b"XMP \0\0\0\0" * (n - 2)),
    ],
)
def test_picture_file_of_too_many_parts_is_refused(make: Callable[[int], bytes]) -> None:
    assert read_picture_file(make(MAX_PARTS)).width == 8
    assert refusal(make(MAX_PARTS + 5)) == (
        Reason.TOO_LARGE,
        f"The file has more than {MAX_PARTS} parts; save the picture again.",
    )


HEADER = pictures.chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0))
FRAME = pictures.segment(0xC0, struct.pack(">BHHB", 8, 60_000, 60_000, 1) + b"\1\x11\0")


@pytest.mark.parametrize(
    "content",
    [
        b"RIFF\0\0\0\0WEBP",
        b"RIFF\x04\0\0\0WAVE",
        b"\xff\xd8\xff\xd9",
        BLANK.replace(b"IHDR", b"iHDR"),
        pictures.png(0, 8),
        pictures.jpeg(8, 8).replace(pictures.START, pictures.START * 2),
        *(pictures.jpeg(8, 8).replace(b"\xff\xc0", bytes([255, n])) for n in (0xC3, 0xC9, 0xCA)),
        pictures.jpeg(8, 8).replace(b"\xff\xc0\0\x0b\x08", b"\xff\xc0\0\x0b\x0c"),
        pictures.jpeg(8, 8).replace(pictures.START, pictures.START + FRAME),
    ],
)
def test_picture_file_that_is_no_picture_or_of_a_rare_coding_is_refused(content: bytes) -> None:
    assert refusal(content)[0] is Reason.UNSUPPORTED_TYPE


def test_picture_file_keeps_only_the_first_header_of_a_png() -> None:
    file = read_picture_file(pictures.png(8, 8, more=HEADER))
    assert (file.width, file.content) == (8, BLANK)


def test_picture_file_with_bombs_in_its_metadata_costs_no_memory() -> None:
    text = zlib.compress(bytes(2**26), 9)
    bombs = {
        b"zTXt": b"a\0\0" + text,
        b"iCCP": b"a\0\0" + text,
        b"eXIf": pictures.turned_exif(900, 2**16),
    }
    content = pictures.png(8, 8, more=b"".join(pictures.chunk(*bomb) for bomb in bombs.items()))
    tracemalloc.start()
    try:
        assert Image.open(io.BytesIO(read_picture_file(content).content)).getexif() == {}
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"II*\0",
        b"MM\0*\0\0\0\x08\xff\xff",
        b"II*\0\x08\0\0\0\0\0",
        pictures.turned_exif(1000),  # the orientation is too far behind
        pictures.turned_exif().replace(b"\x06", b"\x09"),
    ],
)
def test_picture_file_of_unusable_exif_is_taken_as_it_lies(exif: bytes) -> None:
    content = pictures.png(8, 8, more=pictures.chunk(b"eXIf", exif))
    assert read_picture_file(content).orientation == 1


@given(
    content=st.sampled_from([saved("PNG"), saved("JPEG", progressive=True), saved("WEBP")]),
    places=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4),
    length=st.integers(0, 2000),
)
def test_picture_file_damaged_is_read_or_refused(
    content: bytes, places: list[tuple[int, int]], length: int
) -> None:
    damaged = bytearray(content)
    for place, value in places:
        damaged[place % len(damaged)] = value
    try:
        file = read_picture_file(bytes(damaged[:length]))
    except RequestError:
        return
    assert 0 < file.share <= 1


def test_picture_file_limits_are_documented() -> None:
    text = (ROOT / "docs" / "api.md").read_text()
    several = [pictures.jpeg(8, 8, sampling, scans=1) for sampling in (COLOUR, REDUCED_COLOUR)]
    kinds = PNG, CLEAR_PNG, JPEG, WEBP, LOSSLESS_WEBP
    for kind in (*kinds, *(read_picture_file(content).kind for content in several)):
        assert f" {kind.most:,} " in text
    assert f" {MAX_SIDE:,} pixels" in text
    assert f" {MAX_SCANS} scans" in text
