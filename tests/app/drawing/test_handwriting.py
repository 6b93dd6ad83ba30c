import io
import struct
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from app.api.errors import Refused
from app.drawing.handwriting import MAX_PIXELS, ink_of, normalise, read_digit
from training.data import load_mnist

Levels = np.ndarray
NO_INK = "The picture holds no ink: nothing stands out from its background."
NO_PICTURE = "The upload is no whole picture; send one PNG, JPEG or WebP of a single digit."
SIZE = 10  # times, that the photos below are larger than MNIST


@pytest.fixture(scope="module")
def digits(mnist_slice: Path) -> Levels:
    """(200, 28, 28) uint8, MNIST's first test images."""
    return np.asarray(load_mnist(mnist_slice, train=False).images.numpy())


def saved(picture: Levels | Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    image.save(file, kind, **options)
    return file.getvalue()


def large(digit: Levels, size: int = SIZE) -> Levels:
    """Ink (28 * size, 28 * size) in [0, 1], smooth."""
    sides = 28 * size, 28 * size
    return np.asarray(Image.fromarray(digit).resize(sides, Image.Resampling.BICUBIC)) / 255


def photo(
    ink: Levels,
    paper: tuple[int, int, int] = (235, 225, 205),
    pen: tuple[int, int, int] = (30, 40, 90),
    shade: float = 0.3,
    noise: float = 4,
) -> bytes:
    """A JPEG of ink on paper, darker by `shade` towards the right and again towards the foot."""
    height, width = ink.shape
    colours = ink[..., None] * np.array(pen) + (1 - ink[..., None]) * np.array(paper)
    light = np.linspace(1, 1 - shade, width) * np.linspace(1, 1 - shade, height)[:, None]
    grain = np.random.default_rng(0).normal(0, noise, (height, width, 1))
    shot = np.clip(colours * light[..., None] + grain, 0, 255).astype(np.uint8)
    return saved(shot, "JPEG", quality=80)


def distance(read: Levels, digit: Levels) -> float:
    """The mean absolute difference, in pixels of [0, 1]; two different digits have about 0.15."""
    return float(abs(read - digit / 255).mean())


def bar() -> Levels:
    """Dark on bright, (40, 30): a standing bar of 4 x 32."""
    picture = np.full((40, 30), 255, dtype=np.uint8)
    picture[4:36, 13:17] = 0
    return picture


def refusal(content: bytes) -> tuple[int, str]:
    with pytest.raises(Refused) as caught:
        read_digit(content)
    return caught.value.status, str(caught.value)


def test_normalise_of_mnist_is_the_identity(digits: Levels) -> None:
    distances = [distance(normalise(digit.astype(np.float32) / 255), digit) for digit in digits]
    assert max(distances) < 1e-3


@given(
    ink=arrays.arrays(
        np.float32,
        st.tuples(st.integers(1, 60), st.integers(1, 60)),
        elements=st.sampled_from([0, 0, 0, 0.2, 1]),
    ).filter(np.any)
)
def test_normalise_of_any_ink_fills_the_box_and_has_its_mass_in_the_middle(ink: Levels) -> None:
    cell = normalise(ink)
    assert cell.shape == (28, 28)
    assert cell.dtype == np.float32
    assert cell.min() >= 0
    assert cell.max() == 1
    rows, columns = np.flatnonzero(cell.any(axis=1)), np.flatnonzero(cell.any(axis=0))
    assert max(np.ptp(rows), np.ptp(columns)) < 20
    for mass, side in ((cell.sum(axis=1), rows), (cell.sum(axis=0), columns)):
        off = abs(mass @ np.arange(28) / mass.sum() - 14)
        assert off <= 0.5 + 1e-4 or side[0] == 0 or side[-1] == 27  # as near as the frame lets


@pytest.mark.parametrize("side", range(20, 60))
def test_normalise_loses_no_pixel(side: int) -> None:
    for column in range(side):
        ink = np.zeros((side, side), dtype=np.float32)
        ink[[0, -1]] = 0.01  # were the pixel lost, this would become full ink
        ink[side // 2, column] = 1
        assert 1 <= np.count_nonzero(normalise(ink) > 0.5) <= 4


@pytest.mark.parametrize("shape", [(1, 500), (500, 1)])
def test_normalise_thinnest_line_is_full_ink(shape: tuple[int, int]) -> None:
    cell = normalise(np.ones(shape, dtype=np.float32))
    assert cell.sum() == 20
    assert cell.max() == 1


def test_normalise_thin_slope_does_not_pale() -> None:
    cell = normalise(np.eye(500, dtype=np.float32))
    assert (cell > 0.5).sum() >= 20


@pytest.mark.parametrize("bright", [True, False])
def test_read_digit_finds_the_ink_bright_or_dark(digits: Levels, bright: bool) -> None:
    distances = [
        distance(read_digit(saved(digit if bright else 255 - digit)), digit)
        for digit in digits[:50]
    ]
    assert np.mean(distances) < 0.02
    assert max(distances) < 0.1  # faint ink is left out, which may move the rest by a pixel


def test_read_digit_large_picture_is_near_the_original(digits: Levels) -> None:
    distances = [
        distance(read_digit(saved((255 * (1 - large(digit))).clip(0, 255).astype(np.uint8))), digit)
        for digit in digits[:25]
    ]
    assert np.mean(distances) < 0.04
    assert max(distances) < 0.1


@pytest.mark.parametrize(
    "look",
    [
        {"shade": 0},
        {},
        {"shade": 0.5},  # a quarter of the light in the far corner
        {"paper": (120, 120, 120), "pen": (40, 40, 40), "shade": 0.2},
        {"paper": (150, 150, 150), "pen": (90, 90, 90), "shade": 0.1},  # a pencil
        {"paper": (40, 60, 50), "pen": (230, 230, 230)},  # chalk on a board
        {"noise": 15},
    ],
    ids=str,
)
def test_read_digit_photo_is_near_the_original(digits: Levels, look: dict[str, Any]) -> None:
    distances = [distance(read_digit(photo(large(digit), **look)), digit) for digit in digits[:12]]
    assert np.mean(distances) < 0.06  # measured: 0.022 to 0.048
    assert max(distances) < 0.14


def test_read_digit_small_in_its_photo_is_found(digits: Levels) -> None:
    distances = [
        distance(read_digit(photo(np.pad(large(digit), 560))), digit) for digit in digits[:5]
    ]
    assert np.mean(distances) < 0.04


@pytest.mark.parametrize("width", [3, 6, 20])
def test_read_digit_thin_pen_in_a_photo_is_kept(width: int) -> None:
    ink = np.zeros((1000, 1000))
    ink[200:800, 500 : 500 + width] = 1
    read = read_digit(photo(ink))
    assert (read.max(axis=1) > 0.5).sum() == 20
    assert (read > 0.5).sum() <= 40


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_read_digit_takes_the_formats(kind: str) -> None:
    read = read_digit(saved(bar(), kind))
    assert (read > 0.5).sum() == pytest.approx(50, abs=12)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA"])
def test_read_digit_takes_the_modes_of_png(mode: str) -> None:
    read = read_digit(saved(Image.fromarray(bar()).convert(mode)))
    assert np.array_equal(read, read_digit(saved(bar())))


def test_read_digit_cmyk_jpeg_is_read() -> None:
    read = read_digit(saved(Image.fromarray(bar()).convert("CMYK"), "JPEG", quality=95))
    assert (read > 0.5).sum() == pytest.approx(50, abs=12)


def test_read_digit_16_bit_keeps_all_levels() -> None:
    deep = np.where(bar() > 0, 60_000, 6_000).astype(np.uint16)  # both above 255
    assert np.array_equal(read_digit(saved(deep)), read_digit(saved(bar())))


@pytest.mark.parametrize("level", [0, 255])
def test_read_digit_on_clear_paper_is_the_ink(digits: Levels, level: int) -> None:
    for digit in digits[:20]:
        clear = np.full((28, 28, 4), level, dtype=np.uint8)
        clear[..., 3] = digit
        assert distance(read_digit(saved(clear)), digit) < 0.025


def test_read_digit_wholly_clear_is_422() -> None:
    assert refusal(saved(np.zeros((30, 30, 4), dtype=np.uint8))) == (422, NO_INK)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_read_digit_turned_by_exif_is_upright(digits: Levels, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter to the right
    upright = Image.fromarray(np.kron(digits[0], np.ones((4, 4), dtype=np.uint8)))
    turned = upright.transpose(Image.Transpose.ROTATE_90)
    read = read_digit(saved(turned, kind, exif=exif.tobytes(), quality=95))
    assert distance(read, digits[0]) < 0.05
    assert distance(read_digit(saved(turned, kind, quality=95)), digits[0]) > 0.1


def test_read_digit_cropped_to_its_ink_is_found(digits: Levels) -> None:
    for digit in digits[:30]:
        rows, columns = (np.flatnonzero(digit.any(axis=axis)) for axis in (1, 0))
        tight = digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        if (tight > 127).mean() < 0.4:  # a stroke that fills its frame has no paper to stand on
            assert distance(read_digit(saved(255 - tight)), digit) < 0.1


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (28, 28), (300, 300)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_read_digit_uniform_is_422(shape: tuple[int, int], level: int) -> None:
    assert refusal(saved(np.full(shape, level, dtype=np.uint8))) == (422, NO_INK)


@pytest.mark.parametrize("noise", [0, 6])
def test_read_digit_bare_paper_in_uneven_light_is_422(noise: int) -> None:
    assert refusal(photo(np.zeros((300, 300)), shade=0.5, noise=noise)) == (422, NO_INK)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("long", "wide"), [(2000, 40), (400, 8), (5000, 300)])
def test_read_digit_long_bar_keeps_its_form(long: int, wide: int, turned: bool) -> None:
    picture = np.full((long, wide), 255, dtype=np.uint8)
    picture[long // 10 : -long // 10, wide * 3 // 8 : wide * 5 // 8] = 0
    read = read_digit(saved(picture.T.copy() if turned else picture))
    strong = read > 0.5
    assert sorted([strong.any(axis=0).sum(), strong.any(axis=1).sum()]) == [1, 20]
    assert strong.any(axis=0 if turned else 1).sum() == 20


@given(
    picture=arrays.arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 6))),
)
@settings(max_examples=60)
def test_read_digit_tiny_picture_is_read_or_refused(picture: Levels) -> None:
    try:
        read = read_digit(saved(picture))
        assert np.isfinite(read).all()
        assert read.max() == 1
    except Refused as refused:
        assert refused.status == 422


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no picture",
        b"\x89PNG\r\n\x1a\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        saved(bar(), "GIF"),
        saved(bar(), "BMP"),
        saved(bar(), "TIFF"),
        saved(bar())[:-30],
        saved(bar(), "JPEG")[:-100],
        saved(bar(), "WEBP", lossless=True)[:-20],
    ],
    ids=["empty", "text", "start", "svg", "gif", "bmp", "tiff", "png", "jpeg", "webp"],
)
def test_read_digit_that_is_no_whole_picture_is_415(content: bytes) -> None:
    assert refusal(content) == (415, NO_PICTURE)


@given(place=st.integers(0, 200), value=st.integers(0, 255))
@settings(max_examples=60)
def test_read_digit_damaged_file_is_read_or_refused(place: int, value: int) -> None:
    content = bytearray(saved(bar()))
    content[place % len(content)] = value
    try:
        assert read_digit(bytes(content)).shape == (28, 28)
    except Refused as refused:
        assert refused.status in (413, 415, 422)


def declared(width: int, height: int, packed: bytes) -> bytes:
    """A grey PNG that says it is so large."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        end = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + end

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [chunk(b"IHDR", head), chunk(b"IDAT", packed), chunk(b"IEND", b"")]
    )


@pytest.mark.parametrize("sides", [(2**12, 2**12 + 1), (60_000, 60_000), (2**31 - 1, 1)])
def test_read_digit_bomb_is_413_before_it_is_unpacked(sides: tuple[int, int]) -> None:
    bomb = declared(*sides, zlib.compress(bytes(2**26)))
    tracemalloc.start()
    try:
        status, sentence = refusal(bomb)
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()
    assert status == 413
    assert sentence == f"The picture has more than {MAX_PIXELS} pixels; make it smaller."


def test_read_digit_largest_is_read() -> None:
    picture = np.full((2**12, 2**12), 255, dtype=np.uint8)
    picture[500:3500, 1900:2100] = 0
    assert read_digit(saved(picture, compress_level=1)).sum() == pytest.approx(20, abs=2)


def test_ink_of_uneven_light_is_as_dark_everywhere() -> None:
    ink = np.zeros((200, 200))
    ink[40:160:40, 20:180] = ink[41:161:40, 20:180] = ink[42:162:40, 20:180] = 1
    found = ink_of(Image.open(io.BytesIO(photo(ink, shade=0.5, noise=0))).convert("L"))
    strokes, bare = found[ink == 1], found[10:30]
    assert strokes.mean() > 0.8
    assert bare.max() == 0
    assert abs(found[41, 30:60].mean() - found[121, 140:170].mean()) < 0.15
