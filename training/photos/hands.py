"""Digits drawn as strokes: ways of writing them that are common, and rare in MNIST.

Such are a 1 with a long upstroke or a base, a 7 with a bar, a 9 with a curled tail and a 5 with its
bar apart. Each form is moved, bent and drawn with another pen every time.
"""

import numpy as np
from numpy.typing import NDArray

from model.reading.cutout import CELL, normalise
from training.photos.pen import Levels, drawn

Rng = np.random.Generator
Point = tuple[float, float]
Form = list[list[Point]]  # strokes; a point that is named twice is a corner
SIDE = 48  # pixels in which a digit is drawn
SMOOTH = 8  # points of a curve between two that are named
BAR: list[Point] = [(0.28, 0.52), (0.75, 0.48)]
BASE: list[Point] = [(0.2, 0.94), (0.85, 0.94)]

FORMS: tuple[tuple[Form, ...], ...] = (
    (  # 0
        [[(0.5, 0.05), (0.2, 0.25), (0.14, 0.6), (0.35, 0.93), (0.65, 0.9), (0.86, 0.55),
          (0.78, 0.2), (0.5, 0.05)]],
        [[(0.65, 0.1), (0.35, 0.1), (0.15, 0.45), (0.25, 0.85), (0.55, 0.95), (0.85, 0.7),
          (0.85, 0.35), (0.6, 0.08), (0.42, 0.12)]],
    ),
    (  # 1
        [[(0.5, 0.05), (0.5, 0.95)]],
        [[(0.3, 0.3), (0.6, 0.05), (0.6, 0.05), (0.6, 0.95)]],
        [[(0.12, 0.55), (0.4, 0.3), (0.6, 0.05), (0.6, 0.05), (0.6, 0.95)]],
        [[(0.1, 0.5), (0.6, 0.05), (0.6, 0.05), (0.5, 0.95)]],
        [[(0.25, 0.3), (0.52, 0.05), (0.52, 0.05), (0.52, 0.94)], BASE],
        [[(0.52, 0.05), (0.52, 0.94)], BASE],
    ),
    (  # 2
        [[(0.15, 0.25), (0.35, 0.06), (0.65, 0.06), (0.8, 0.28), (0.62, 0.55), (0.12, 0.93),
          (0.12, 0.93), (0.88, 0.93)]],
        [[(0.15, 0.25), (0.45, 0.05), (0.8, 0.25), (0.62, 0.6), (0.25, 0.92), (0.12, 0.8),
          (0.3, 0.72), (0.55, 0.88), (0.9, 0.9)]],
        [[(0.15, 0.1), (0.8, 0.1), (0.8, 0.1), (0.12, 0.92), (0.12, 0.92), (0.88, 0.92)]],
    ),
    (  # 3
        [[(0.18, 0.14), (0.5, 0.05), (0.8, 0.22), (0.6, 0.42), (0.4, 0.47), (0.4, 0.47),
          (0.68, 0.5), (0.86, 0.7), (0.6, 0.94), (0.18, 0.88)]],
        [[(0.18, 0.06), (0.82, 0.06), (0.82, 0.06), (0.42, 0.4), (0.42, 0.4), (0.8, 0.52),
          (0.82, 0.8), (0.5, 0.95), (0.15, 0.85)]],
    ),
    (  # 4
        [[(0.25, 0.05), (0.12, 0.55), (0.12, 0.55), (0.88, 0.55)], [(0.68, 0.15), (0.65, 0.95)]],
        [[(0.65, 0.95), (0.65, 0.05), (0.65, 0.05), (0.08, 0.65), (0.08, 0.65), (0.92, 0.65)]],
        [[(0.5, 0.05), (0.1, 0.62), (0.1, 0.62), (0.9, 0.62)], [(0.6, 0.38), (0.55, 0.95)]],
        [[(0.2, 0.08), (0.2, 0.4), (0.45, 0.5), (0.78, 0.42)], [(0.8, 0.05), (0.76, 0.95)]],
    ),
    (  # 5
        [[(0.82, 0.07), (0.28, 0.07), (0.28, 0.07), (0.22, 0.45), (0.22, 0.45), (0.6, 0.4),
          (0.85, 0.66), (0.62, 0.93), (0.15, 0.9)]],
        [[(0.3, 0.08), (0.24, 0.45), (0.24, 0.45), (0.6, 0.42), (0.84, 0.68), (0.6, 0.94),
          (0.15, 0.88)], [(0.3, 0.08), (0.88, 0.05)]],
        [[(0.85, 0.08), (0.35, 0.1), (0.25, 0.4), (0.7, 0.52), (0.8, 0.78), (0.5, 0.95),
          (0.15, 0.88)]],
    ),
    (  # 6
        [[(0.7, 0.05), (0.35, 0.3), (0.18, 0.65), (0.4, 0.95), (0.75, 0.86), (0.78, 0.6),
          (0.5, 0.5), (0.2, 0.7)]],
        [[(0.3, 0.05), (0.2, 0.5), (0.25, 0.85), (0.55, 0.95), (0.8, 0.75), (0.6, 0.55),
          (0.25, 0.68)]],
    ),
    (  # 7
        [[(0.12, 0.1), (0.85, 0.1), (0.85, 0.1), (0.4, 0.95)]],
        [[(0.12, 0.1), (0.85, 0.1), (0.85, 0.1), (0.4, 0.95)], BAR],
        [[(0.12, 0.28), (0.15, 0.08), (0.15, 0.08), (0.85, 0.08), (0.85, 0.08), (0.55, 0.5),
          (0.45, 0.95)]],
        [[(0.12, 0.2), (0.35, 0.08), (0.85, 0.12), (0.85, 0.12), (0.55, 0.5), (0.45, 0.95)], BAR],
    ),
    (  # 8
        [[(0.75, 0.15), (0.45, 0.05), (0.25, 0.22), (0.5, 0.45), (0.8, 0.7), (0.5, 0.95),
          (0.2, 0.72), (0.5, 0.45), (0.78, 0.22), (0.72, 0.12)]],
        [[(0.5, 0.05), (0.25, 0.25), (0.5, 0.45), (0.75, 0.25), (0.5, 0.05)],
         [(0.5, 0.45), (0.2, 0.7), (0.5, 0.95), (0.8, 0.7), (0.5, 0.45)]],
    ),
    (  # 9
        [[(0.78, 0.2), (0.5, 0.05), (0.2, 0.25), (0.42, 0.48), (0.74, 0.35), (0.78, 0.1),
          (0.78, 0.1), (0.76, 0.95)]],
        [[(0.78, 0.2), (0.5, 0.05), (0.2, 0.25), (0.42, 0.48), (0.74, 0.35), (0.78, 0.15),
          (0.84, 0.6), (0.7, 0.9), (0.4, 0.95), (0.15, 0.82)]],
        [[(0.76, 0.2), (0.48, 0.05), (0.2, 0.25), (0.42, 0.46), (0.74, 0.32), (0.76, 0.08),
          (0.76, 0.08), (0.68, 0.65), (0.35, 0.95)]],
        [[(0.78, 0.2), (0.45, 0.05), (0.18, 0.3), (0.45, 0.5), (0.76, 0.36), (0.78, 0.1),
          (0.78, 0.1), (0.84, 0.65), (0.6, 0.95), (0.2, 0.92)]],
    ),
)  # fmt: skip


def drawn_digits(count: int, rng: Rng) -> tuple[Levels, NDArray[np.uint8]]:
    """Digits (N, 28, 28) as MNIST has them, ink 255, and their labels (N,), as many of each."""
    labels = np.arange(count) % len(FORMS)
    digits = np.zeros((count, CELL, CELL), np.uint8)
    for digit, label in zip(digits, labels, strict=True):
        forms = FORMS[label]
        strokes = _by_hand(forms[int(rng.integers(len(forms)))], rng)
        cover = drawn(SIDE, strokes, rng.uniform(0.05, 0.15))
        digit[:] = np.round(normalise(cover) * 255)
    return digits, labels.astype(np.uint8)


def _by_hand(form: Form, rng: Rng) -> Form:
    """A form as one of many people may write it: each point moved, all bent, slanted and scaled."""
    wide, slant, bend = rng.uniform(0.5, 1), rng.normal(0, 0.15), rng.normal(0, 0.06)
    names = {point for stroke in form for point in stroke}
    moves = dict(zip(sorted(names), rng.normal(0, 0.035, (len(names), 2)), strict=True))

    def moved(point: Point) -> Point:
        x, y = np.array(point) + moves[point]
        x = 0.5 + (x - 0.5) * wide + (0.5 - y) * slant + bend * np.sin(np.pi * y)
        return float(np.clip(0.12 + 0.76 * x, 0.08, 0.92)), float(0.1 + 0.8 * y)

    return [_curve([moved(point) for point in stroke]) for stroke in form]


def _curve(points: list[Point]) -> list[Point]:
    """A smooth line through points: a Catmull-Rom spline."""
    p = np.array([points[0], *points, points[-1]])
    t = np.linspace(0, 1, SMOOTH, endpoint=False)[:, None]
    parts = [
        b + t / 2 * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
        for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False)
    ]
    return [(float(x), float(y)) for x, y in np.concatenate([*parts, p[-1:]])]
