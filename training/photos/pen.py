"""Ink: a digit of MNIST at any size, angle and width of pen, and marks that are no digit."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Levels = NDArray[np.uint8]
Cover = NDArray[np.float32]  # (H, W) in [0, 1], 1 where ink covers the paper
LEAST_BLUR = 0.2  # pixels: less changes nothing
HALF = 0.5  # cover at which a pixel counts as ink
BROAD, THIN = 0.2, 0.2  # shares of digits written with such a pen
PALE = 100  # level of a stroke that is not made stronger
FINE = 4  # subpixels of a pixel, for smooth drawn marks


def cropped(digit: Levels) -> Levels:
    """The digit (28, 28) cut to its ink."""
    rows, columns = np.flatnonzero(digit.any(axis=1)), np.flatnonzero(digit.any(axis=0))
    return digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def written(
    digit: Levels, side: float, angle: float, rng: np.random.Generator, soft: bool = False
) -> Cover:
    """The cover of a digit whose longer side is `side` pixels, rotated by `angle` degrees.

    Args:
        digit: grey levels (28, 28), ink 255.
        side: in pixels, before the rotation.
        angle: in degrees.
        rng: chooses the width of the pen.
        soft: keep the grey levels of MNIST, as if its picture were enlarged.
    """
    ink = Image.fromarray(np.pad(cropped(digit), 2))
    scale = side / (max(ink.size) - 4)
    sides = max(3, round(ink.width * scale)), max(3, round(ink.height * scale))
    large = ink.resize(sides, Image.Resampling.BICUBIC)
    if angle:
        large = large.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    level: Cover = np.asarray(large, dtype=np.float32) * np.float32(1 / 255)
    if soft:
        return level
    sharp = max(1.5, scale / 2)
    edge = max(rng.uniform(0.25, 0.75), 0.5 / sharp)  # a low one makes a broad pen
    cover: Cover = np.clip((level - edge) * sharp + 0.5, 0, 1).astype(np.float32)
    return cover


def varied(digit: Levels, rng: np.random.Generator) -> Levels:
    """The digit (28, 28) as others may write it: wider or narrower, with a broad or a fine pen."""
    ink = Image.fromarray(np.pad(cropped(digit), 3))
    width, height = ink.size
    if chance(rng, 0.3):
        width = max(8, round(width * rng.uniform(0.7, 1.4)))
    pen = rng.uniform()
    if pen < BROAD + THIN:
        large = ink.resize((2 * width, 2 * height), Image.Resampling.BILINEAR)
        if pen >= BROAD:
            return np.asarray(_thinned(large))
        ink = large.filter(ImageFilter.MaxFilter(int(rng.choice([3, 5]))))
    return np.asarray(ink.resize((width, height), Image.Resampling.BILINEAR))


def _thinned(ink: Image.Image) -> Image.Image:
    """The middle of strokes, at full strength also where it was pale."""
    thin = ink.filter(ImageFilter.MinFilter(3))
    near = np.asarray(thin.filter(ImageFilter.MaxFilter(9)), dtype=np.float32)
    level = np.asarray(thin) * (255 / np.maximum(near, PALE))
    return Image.fromarray(level.astype(np.uint8))


def drawn(side: int, lines: list[list[tuple[float, float]]], pen: float) -> Cover:
    """Strokes through points (x, y) in [0, 1], with a pen of `pen` sides: (side, side)."""
    large = side * FINE
    picture = Image.new("L", (large, large))
    draw = ImageDraw.Draw(picture)
    width = max(FINE, round(pen * large))
    for line in lines:
        draw.line([(x * large, y * large) for x, y in line], 255, width, "curve")
        for x, y in line:
            radius = width / 2
            box = x * large - radius, y * large - radius, x * large + radius, y * large + radius
            draw.ellipse(box, 255)
    small = picture.resize((side, side), Image.Resampling.BOX)
    cover: Cover = np.asarray(small, dtype=np.float32) / np.float32(255)
    return cover


def circle(
    x: float, y: float, radius: float, start: float = 0, end: float = 2
) -> list[tuple[float, float]]:
    """Points of an arc around (x, y), from `start` to `end` in units of pi."""
    angles = np.pi * np.linspace(start, end, 24)
    return [(x + radius * float(np.cos(a)), y + radius * float(np.sin(a))) for a in angles]


def dot(side: int, rng: np.random.Generator) -> Cover:
    """A filled spot, (side, side)."""
    return drawn(side, [[(0.5, 0.5), (0.5, 0.5)]], rng.uniform(0.3, 0.9))


def asterisk(side: int, rng: np.random.Generator) -> Cover:
    """Three to five strokes through one point."""
    count = int(rng.integers(3, 6))
    turn = rng.uniform(0, np.pi)
    ends = [(np.cos(a), np.sin(a)) for a in turn + np.pi * np.arange(count) / count]
    lines = [[(0.5 + 0.4 * x, 0.5 + 0.4 * y), (0.5 - 0.4 * x, 0.5 - 0.4 * y)] for x, y in ends]
    return drawn(side, lines, rng.uniform(0.04, 0.1))


def scribble(side: int, rng: np.random.Generator) -> Cover:
    """A long stroke that crosses itself many times."""
    points = rng.uniform(0.1, 0.9, (int(rng.integers(9, 25)), 2))
    return drawn(side, [[(float(x), float(y)) for x, y in points]], rng.uniform(0.03, 0.07))


def face(side: int, rng: np.random.Generator) -> Cover:
    """A drawn face: a circle, two eyes and a mouth."""
    gap = rng.uniform(0.1, 0.18)
    eyes = [[(0.5 + way * gap, 0.4), (0.5 + way * gap, 0.42)] for way in (-1, 1)]
    mouth = circle(0.5, 0.5, rng.uniform(0.15, 0.22), 0.2, 0.8)
    return drawn(side, [circle(0.5, 0.5, 0.42), *eyes, mouth], rng.uniform(0.03, 0.06))


def shape(side: int, rng: np.random.Generator) -> Cover:
    """A polygon, a cross in a box, or a grid: printed signs."""
    corner = [(0.15, 0.15), (0.85, 0.15), (0.85, 0.85), (0.15, 0.85), (0.15, 0.15)]
    choices = [
        [corner],
        [corner, [corner[0], corner[2]], [corner[1], corner[3]]],
        [[(0.5, 0.1), (0.9, 0.85), (0.1, 0.85), (0.5, 0.1)]],
        [[(x, 0.1), (x, 0.9)] for x in (0.35, 0.65)] + [[(0.1, y), (0.9, y)] for y in (0.35, 0.65)],
        [[(0.1, 0.9), (0.3, 0.1), (0.5, 0.9), (0.7, 0.1), (0.9, 0.9)]],
        [[(0.5, 0.1), (0.5, 0.9)], [(0.1, 0.5), (0.9, 0.5)], circle(0.5, 0.5, 0.4)],
    ]
    return drawn(side, choices[int(rng.integers(len(choices)))], rng.uniform(0.03, 0.08))


def chance(rng: np.random.Generator, share: float) -> bool:
    """True in `share` of all calls."""
    return bool(rng.uniform() < share)


def blurred(cover: Cover, radius: float) -> Cover:
    """A plane (H, W) with a Gaussian blur of `radius` pixels; any range of values."""
    if radius < LEAST_BLUR:
        return cover
    low, high = float(cover.min()), float(cover.max())
    if high == low:
        return cover
    picture = Image.fromarray(((cover - low) * (255 / (high - low))).astype(np.uint8))
    soft = np.asarray(picture.filter(ImageFilter.GaussianBlur(radius)), dtype=np.float32)
    return soft * ((high - low) / 255) + low
