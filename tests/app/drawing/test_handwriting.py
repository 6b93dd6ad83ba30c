import contextlib
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
from hypothesis.extra import numpy as arrays
from PIL import Image

from app.drawing import handwriting
from app.drawing.handwriting import find_hand, ink_of, read_digit
from app.drawing.picture_file import PNG
from app.drawing.renderer import Renderer
from app.drawing.sight import Sight
from app.request.error import Reason, RequestError
from model.reading.cutout import normalise
from tests.mnist import read_mnist

Levels = np.ndarray
NO_INK = "The picture holds no ink: nothing stands out from its background."
NO_PICTURE = "The upload is not a complete image; send PNG, JPEG or WebP."
DIGITS, LABELS = read_mnist(train=False)
SIZE = 10  # how much larger than MNIST the photos below are


def saved(picture: Levels | Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    image.save(file, kind, **options)
    return file.getvalue()


def large(digit: Levels) -> Levels:
    """Ink (28 * SIZE, 28 * SIZE) in [0, 1], smooth."""
    sides = 28 * SIZE, 28 * SIZE
    return np.asarray(Image.fromarray(digit).resize(sides, Image.Resampling.BICUBIC)) / 255


def photo(
    ink: Levels,
    paper: tuple[int, ...] = (235, 225, 205),
    pen: tuple[int, ...] = (30, 40, 90),
    shade: float = 0.3,
    noise: float = 4,
) -> bytes:
    """A JPEG of ink on paper, darker by `shade` towards the right and again downwards."""
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
    """(40, 30): a dark vertical bar of 4 x 32 on bright paper."""
    picture = np.full((40, 30), 255, dtype=np.uint8)
    picture[4:36, 13:17] = 0
    return picture


def refusal(content: bytes) -> tuple[Reason, str]:
    with pytest.raises(RequestError) as caught:
        read_digit(content)
    return caught.value.reason, str(caught.value)


def test_normalise_of_mnist_is_the_identity() -> None:
    distances = [distance(normalise(digit.astype(np.float32) / 255), digit) for digit in DIGITS]
    assert max(distances) < 1e-3


@given(
    ink=arrays.arrays(
        np.float32,
        st.tuples(st.integers(1, 60), st.integers(1, 60)),
        elements=st.sampled_from([0, 0, 0, 0.2, 1]),
    ).filter(np.any)
)
def test_normalise_fills_the_box_and_centres_the_mass_of_any_ink(ink: Levels) -> None:
    cell = normalise(ink)
    assert (cell.shape, cell.dtype.name) == ((28, 28), "float32")
    assert (cell.min(), cell.max()) == (0, 1)
    rows, columns = np.flatnonzero(cell.any(axis=1)), np.flatnonzero(cell.any(axis=0))
    assert max(np.ptp(rows), np.ptp(columns)) < 20
    for mass, side in ((cell.sum(axis=1), rows), (cell.sum(axis=0), columns)):
        off = abs(mass @ np.arange(28) / mass.sum() - 14)
        assert off <= 0.5 + 1e-4 or side[0] == 0 or side[-1] == 27  # as near as the frame allows


@pytest.mark.parametrize("side", range(20, 60))
def test_normalise_loses_no_pixel(side: int) -> None:
    for column in range(side):
        ink = np.zeros((side, side), dtype=np.float32)
        ink[[0, -1]] = 0.01  # without the pixel, this would become full ink
        ink[side // 2, column] = 1
        assert 1 <= np.count_nonzero(normalise(ink) > 0.5) <= 4


@pytest.mark.parametrize("ink", [np.ones((1, 500)), np.ones((500, 1)), np.eye(500)], ids=len)
def test_normalise_keeps_the_thinnest_line_dark(ink: Levels) -> None:
    assert (normalise(ink.astype(np.float32)) > 0.5).sum() >= 20


def on_transparent(digit: Levels, level: int) -> bytes:
    pixels = np.full((28, 28, 4), level, dtype=np.uint8)
    pixels[..., 3] = digit
    return saved(pixels)


def cropped(digit: Levels) -> bytes:
    """The digit cropped to its ink, or complete where no paper would be left around a stroke."""
    rows, columns = (np.flatnonzero(digit.any(axis=axis)) for axis in (1, 0))
    tight = digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return saved(255 - (tight if (tight > 127).mean() < 0.4 else digit))


PICTURES: dict[str, tuple[Callable[[Levels], bytes], int, float, float]] = {
    # How it is made, of how many digits, their mean and their largest distance.
    "bright": (saved, 50, 0.02, 0.1),  # without faint ink, the rest may move by a pixel
    "dark": (lambda digit: saved(255 - digit), 50, 0.02, 0.1),
    "large": (
        lambda digit: saved((255 * (1 - large(digit)).clip(0, 1)).astype("u1")),
        25,
        0.04,
        0.1,
    ),
    "cropped": (cropped, 30, 0.05, 0.1),
    "transparent black": (lambda digit: on_transparent(digit, 0), 20, 0.025, 0.025),
    "transparent white": (lambda digit: on_transparent(digit, 255), 20, 0.025, 0.025),
    "small": (lambda digit: photo(np.pad(large(digit), 560)), 5, 0.04, 0.14),
    # Photos; their mean distances were measured as 0.022 to 0.048.
    "even light": (lambda digit: photo(large(digit), shade=0), 12, 0.06, 0.14),
    "shade": (lambda digit: photo(large(digit)), 12, 0.06, 0.14),
    "dark corner": (lambda digit: photo(large(digit), shade=0.5), 12, 0.06, 0.14),
    "dim": (lambda digit: photo(large(digit), (120,) * 3, (40,) * 3, 0.2), 12, 0.06, 0.14),
    "pencil": (lambda digit: photo(large(digit), (150,) * 3, (90,) * 3, 0.1), 12, 0.06, 0.14),
    "chalk": (lambda digit: photo(large(digit), (40, 60, 50), (230,) * 3), 12, 0.06, 0.14),
    "grain": (lambda digit: photo(large(digit), noise=15), 12, 0.06, 0.14),
}


@pytest.mark.parametrize("name", PICTURES)
def test_read_digit_is_near_the_original(name: str) -> None:
    picture_of, count, mean, most = PICTURES[name]
    distances = [distance(read_digit(picture_of(digit)), digit) for digit in DIGITS[:count]]
    assert np.mean(distances) < mean
    assert max(distances) < most


@pytest.mark.parametrize("width", [3, 6, 20])
def test_read_digit_keeps_a_thin_pen_in_a_photo(width: int) -> None:
    ink = np.zeros((1000, 1000))
    ink[200:800, 500 : 500 + width] = 1
    read = read_digit(photo(ink))
    assert (read.max(axis=1) > 0.5).sum() == 20
    assert (read > 0.5).sum() <= 40


FILES = [("WEBP", "L"), ("JPEG", "L"), ("JPEG", "CMYK")]
FILES += [("PNG", mode) for mode in ("1", "L", "P", "LA", "RGB", "RGBA", "I;16")]


@pytest.mark.parametrize(("kind", "mode"), FILES)
def test_read_digit_takes_the_formats_and_modes(kind: str, mode: str) -> None:
    deep = np.where(bar() > 0, 60_000, 6_000).astype(np.uint16)  # both above 255
    picture = Image.fromarray(deep) if mode == "I;16" else Image.fromarray(bar()).convert(mode)
    ink = (read_digit(saved(picture, kind)) > 0.5).sum()
    assert ink == 40 if kind == "PNG" else abs(ink - 50) <= 12


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_read_digit_applies_the_orientation_of_exif(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn to the right
    upright = Image.fromarray(np.kron(DIGITS[0], np.ones((4, 4), dtype=np.uint8)))
    turned = upright.transpose(Image.Transpose.ROTATE_90)
    read = read_digit(saved(turned, kind, exif=exif.tobytes(), quality=95))
    assert distance(read, DIGITS[0]) < 0.05
    assert distance(read_digit(saved(turned, kind, quality=95)), DIGITS[0]) > 0.1


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("long", "wide"), [(2000, 40), (400, 8), (5000, 300)])
def test_read_digit_keeps_the_form_of_a_long_bar(long: int, wide: int, turned: bool) -> None:
    picture = np.full((long, wide), 255, dtype=np.uint8)
    picture[long // 10 : -long // 10, wide * 3 // 8 : wide * 5 // 8] = 0
    strong = read_digit(saved(picture.T.copy() if turned else picture)) > 0.5
    across, down = strong.any(axis=0).sum(), strong.any(axis=1).sum()
    assert (across, down) == ((20, 1) if turned else (1, 20))


def test_read_digit_reads_the_largest_picture() -> None:
    picture = np.full((2**12, 2**12), 255, dtype=np.uint8)
    picture[500:3500, 1900:2100] = 0
    assert read_digit(saved(picture, compress_level=1)).sum() == pytest.approx(20, abs=2)


@pytest.mark.parametrize(
    "content",
    [
        *(saved(np.full((1, 40), level, np.uint8)) for level in (0, 128, 255)),
        *(saved(np.full(shape, 128, np.uint8)) for shape in ((1, 1), (28, 28), (300, 300))),
        saved(np.zeros((30, 30, 4), dtype=np.uint8)),
        *(photo(np.zeros((300, 300)), shade=0.5, noise=noise) for noise in (0, 6)),
    ],
    ids=len,
)
def test_read_digit_of_bare_paper_finds_no_ink(content: bytes) -> None:
    assert refusal(content) == (Reason.INVALID, NO_INK)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no picture",
        b"\x89PNG\r\n\x1a\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        *(saved(bar(), kind) for kind in ("GIF", "BMP", "TIFF")),
        saved(bar())[:-30],
        saved(bar(), "JPEG")[:-100],
        saved(bar(), "WEBP", lossless=True)[:-20],
    ],
    ids=lambda content: repr(content[:8]),
)
def test_read_digit_refuses_what_is_not_a_complete_picture(content: bytes) -> None:
    assert refusal(content) == (Reason.UNSUPPORTED_TYPE, NO_PICTURE)


def damaged(place: int, value: int) -> bytes:
    content = bytearray(saved(bar()))
    content[place % len(content)] = value
    return bytes(content)


@given(
    content=arrays.arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 6))).map(saved)
    | st.builds(damaged, st.integers(0, 200), st.integers(0, 255))
)
def test_read_digit_reads_or_refuses_tiny_and_damaged_pictures(content: bytes) -> None:
    with contextlib.suppress(RequestError):
        read = read_digit(content)
        assert (read.shape, read.max()) == ((28, 28), 1)
        assert np.isfinite(read).all()


@pytest.mark.parametrize("sides", [(2**12, 2**12 + 1), (60_000, 60_000), (2**31 - 1, 1)])
def test_read_digit_refuses_a_bomb_without_unpacking_it(sides: tuple[int, int]) -> None:
    bomb = bytearray(saved(np.zeros((2**12, 2**12), dtype=np.uint8)))
    bomb[16:24] = struct.pack(">II", *sides)
    bomb[29:33] = struct.pack(">I", zlib.crc32(bomb[12:29]))
    tracemalloc.start()
    try:
        reason, sentence = refusal(bytes(bomb))
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()
    assert reason is Reason.TOO_LARGE
    assert sentence == f"A PNG may have at most {PNG.most} pixels; make the picture smaller."


def test_ink_of_is_as_dark_everywhere_in_uneven_light() -> None:
    ink = np.zeros((200, 200))
    ink[40:160:40, 20:180] = ink[41:161:40, 20:180] = ink[42:162:40, 20:180] = 1
    found = ink_of(Image.open(io.BytesIO(photo(ink, shade=0.5, noise=0))).convert("L"))
    strokes, bare = found[ink == 1], found[10:30]
    assert strokes.mean() > 0.8
    assert bare.max() == 0
    assert abs(found[41, 30:60].mean() - found[121, 140:170].mean()) < 0.15


def test_find_hand_is_the_mean_of_the_noise_of_its_pictures(renderer: Renderer) -> None:
    def hand(pictures: Levels) -> np.ndarray:
        found = find_hand(renderer, [saved(picture) for picture in pictures], 4)
        assert found.labels == [4]
        return np.asarray(renderer.style_noise(found.style))

    expected = (hand(DIGITS[:1]) + hand(DIGITS[1:2])) / 2
    assert abs(hand(DIGITS[:2]) - expected).max() <= 1 / 32
    assert find_hand(renderer, [saved(DIGITS[0])], None).labels == [LABELS[0]]


def test_find_hand_gives_no_weight_to_a_picture_that_cannot_show_the_label(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sights = [Sight(DIGITS[0] / np.float32(255), 4, share) for share in (0.9, 0.0)]
    sights[1] = sights[1]._replace(digit=DIGITS[1] / np.float32(255))
    monkeypatch.setattr(handwriting, "_digits", lambda *_: sights)
    found = find_hand(renderer, [], None)
    apart = abs(np.asarray(renderer.style_noise(found.style)) - found.noises)
    assert apart[0].max() <= 1 / 32
    assert apart[1].max() > 1 / 4
