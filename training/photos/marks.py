"""Marks that are no digit: letters, signs, and strokes without meaning."""

from collections.abc import Sequence

import numpy as np

from training.photos.pen import Cover, chance, circle, drawn

Point = tuple[float, float]
Strokes = list[list[Point]]

# Only letters that nobody takes for a digit.
LETTERS: tuple[Strokes, ...] = (
    [[(0.1, 0.9), (0.5, 0.1), (0.9, 0.9)], [(0.27, 0.6), (0.73, 0.6)]],  # A
    [[(0.8, 0.1), (0.2, 0.1), (0.2, 0.9), (0.8, 0.9)], [(0.2, 0.5), (0.7, 0.5)]],  # E
    [[(0.8, 0.1), (0.25, 0.1), (0.25, 0.9)], [(0.25, 0.5), (0.7, 0.5)]],  # F
    [[(0.2, 0.1), (0.2, 0.9)], [(0.8, 0.1), (0.8, 0.9)], [(0.2, 0.5), (0.8, 0.5)]],  # H
    [[(0.2, 0.1), (0.2, 0.9)], [(0.8, 0.1), (0.2, 0.55), (0.8, 0.9)]],  # K
    [[(0.1, 0.9), (0.15, 0.1), (0.5, 0.6), (0.85, 0.1), (0.9, 0.9)]],  # M
    [[(0.2, 0.9), (0.2, 0.1), (0.8, 0.9), (0.8, 0.1)]],  # N
    [[(0.2, 0.9), (0.2, 0.1), (0.7, 0.15), (0.75, 0.4), (0.2, 0.5), (0.8, 0.9)]],  # R
    [[(0.1, 0.1), (0.9, 0.1)], [(0.5, 0.1), (0.5, 0.9)]],  # T
    [[(0.1, 0.1), (0.3, 0.9), (0.5, 0.3), (0.7, 0.9), (0.9, 0.1)]],  # W
    [[(0.15, 0.1), (0.85, 0.9)], [(0.85, 0.1), (0.15, 0.9)]],  # X
)
SIGNS: tuple[Strokes, ...] = (
    [[(0.1, 0.5), (0.9, 0.5)]],  # minus
    [[(0.1, 0.35), (0.9, 0.35)], [(0.1, 0.65), (0.9, 0.65)]],  # equals
    [[(0.5, 0.1), (0.5, 0.9)], [(0.1, 0.5), (0.9, 0.5)]],  # plus
    [[(0.1, 0.5), (0.9, 0.5)], [(0.6, 0.25), (0.9, 0.5), (0.6, 0.75)]],  # arrow
    [[(0.5, 0.9), (0.5, 0.1)], [(0.25, 0.4), (0.5, 0.1), (0.75, 0.4)]],  # arrow upwards
    [[(0.1, 0.55), (0.4, 0.85), (0.9, 0.15)]],  # tick
    [[(0.5, 0.9), (0.1, 0.4), (0.3, 0.15), (0.5, 0.35), (0.7, 0.15), (0.9, 0.4), (0.5, 0.9)]],
    [[(0.05, 0.5), (0.2, 0.3), (0.4, 0.7), (0.6, 0.3), (0.8, 0.7), (0.95, 0.5)]],  # wave
    [[(0.2, 0.2), (0.2, 0.22)], [(0.5, 0.8), (0.5, 0.82)], [(0.8, 0.2), (0.8, 0.22)]],  # dots
    [circle(0.5, 0.5, 0.4), circle(0.5, 0.5, 0.2)],  # rings
    [circle(0.5, 0.5, 0.4), [(0.2, 0.2), (0.8, 0.8)]],  # no entry
)


def _by_hand(strokes: Strokes, rng: np.random.Generator) -> Strokes:
    """Strokes whose points are moved a little, narrower or wider, and slanted."""
    wide, slant = rng.uniform(0.6, 1.05), rng.normal(0, 0.15)

    def moved(x: float, y: float) -> Point:
        x, y = x + rng.normal(0, 0.025), y + rng.normal(0, 0.025)
        x = 0.5 + (x - 0.5) * wide + (0.5 - y) * slant
        return min(max(x, 0.04), 0.96), min(max(y, 0.04), 0.96)

    return [[moved(x, y) for x, y in stroke] for stroke in strokes]


def _one_of(choices: Sequence[Strokes], side: int, rng: np.random.Generator) -> Cover:
    strokes = _by_hand(choices[int(rng.integers(len(choices)))], rng)
    return drawn(side, strokes, rng.uniform(0.03, 0.13))


def letter(side: int, rng: np.random.Generator) -> Cover:
    """A letter that no digit resembles, (side, side)."""
    return _one_of(LETTERS, side, rng)


def sign(side: int, rng: np.random.Generator) -> Cover:
    """A sign: of arithmetic, an arrow, a tick, a heart, rings."""
    return _one_of(SIGNS, side, rng)


def strokes(side: int, rng: np.random.Generator) -> Cover:
    """Three to six straight strokes anywhere."""
    count = int(rng.integers(3, 7))
    lines = [[(float(x), float(y)) for x, y in rng.uniform(0.1, 0.9, (2, 2))] for _ in range(count)]
    return drawn(side, lines, rng.uniform(0.03, 0.1))


def loops(side: int, rng: np.random.Generator) -> Cover:
    """A long smooth stroke of many turns, as when a pen is tried."""
    steps = np.linspace(0, 2 * np.pi * rng.uniform(2, 5), 120)
    ratio, phase = rng.uniform(0.3, 3.3), rng.uniform(0, 2 * np.pi)
    drift = np.linspace(-0.2, 0.2, 120) * rng.uniform(0, 1)
    radius = rng.uniform(0.15, 0.38) * np.linspace(rng.uniform(0.3, 1), 1, 120)
    x = np.clip(0.5 + drift + radius * np.cos(steps), 0.05, 0.95)
    y = np.clip(0.5 + radius * np.sin(ratio * steps + phase), 0.05, 0.95)
    return drawn(side, [list(zip(x.tolist(), y.tolist(), strict=True))], rng.uniform(0.03, 0.07))


def expression(side: int, rng: np.random.Generator) -> Cover:
    """A face as anyone may draw it: eyes as rings or strokes, any mouth, perhaps a nose."""
    gap, high = rng.uniform(0.1, 0.2), rng.uniform(0.33, 0.45)
    wide = rng.uniform(0.02, 0.07)
    lines = [circle(0.5, 0.5, rng.uniform(0.36, 0.44))]
    for way in (-1, 1):
        x = 0.5 + way * gap
        lines.append(
            circle(x, high, wide) if chance(rng, 0.5) else [(x, high), (x, high + wide)],
        )
    down = rng.uniform(0.62, 0.72)
    curves = [
        circle(0.5, down - 0.15, 0.2, 0.2, 0.8),
        circle(0.5, down + 0.15, 0.2, 1.2, 1.8),
        [(0.35, down), (0.65, down)],
    ]
    lines.append(curves[int(rng.integers(3))])
    if chance(rng, 0.4):
        lines.append([(0.5, 0.45), (0.5, 0.55)])
    return drawn(side, _by_hand(lines, rng), rng.uniform(0.02, 0.06))


MARKS = (letter, letter, sign, sign, strokes, loops, expression)
