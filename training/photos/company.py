"""Other digits in a picture: neighbours, a row, and writing on the back of the sheet."""

from collections.abc import Sequence

import numpy as np

from training.photos import pen
from training.photos.pen import Levels
from training.photos.scene import Colour, Scene

BACK = np.array([0.3, 0.32, 0.4], dtype=np.float32)  # the colour of ink that shines through


def edge_of(scene: Scene, digit: Levels, ink: Colour) -> None:
    """Part of a second digit, cut by the border of the picture and apart from the first."""
    rng = scene.rng
    small = pen.written(digit, rng.uniform(0.25, 0.5) * scene.side, 0, rng)
    axis = int(rng.integers(2))  # 0: cut by the upper or lower border
    share = rng.uniform(0, 0.25)
    reach = small.shape[axis] / scene.digit.shape[axis] * share
    at = rng.uniform(0.2, 0.8), reach if pen.chance(rng, 0.5) else 1 - reach
    cover = scene.place(small, *(at if axis == 0 else at[::-1]))
    if not scene.touches(pen.blurred(cover, 0.01 * scene.side)):
        scene.add_cut(cover, ink)


def behind(scene: Scene, digit: Levels, depth: float) -> None:
    """Writing on the back of the sheet, mirrored and pale."""
    for _ in range(2):
        x, y = scene.rng.uniform(0.2, 0.8, 2)
        small = pen.written(digit, scene.rng.uniform(0.3, 0.7) * scene.side, 0, scene.rng)[:, ::-1]
        cover = pen.blurred(scene.place(small, x, y), 0.006 * scene.side)
        scene.add_back(cover, depth, BACK)


def write_row(scene: Scene, digits: Sequence[Levels], ink: Colour) -> None:
    """Write whole digits side by side."""
    count = len(digits)
    size = scene.rng.uniform(0.55, 0.85) / count * scene.width
    y = scene.rng.uniform(0.3, 0.7)
    for index, digit in enumerate(digits):
        small = pen.written(digit, min(size, 0.5 * scene.height), 0, scene.rng)
        x = (index + 0.5) / count * 0.9 + 0.05
        scene.add(scene.place(small, x, y + scene.rng.normal(0, 0.03)), ink)


def write_touching(scene: Scene, digits: Sequence[Levels], ink: Colour) -> None:
    """Write two digits into each other, which nobody can tell apart from a single mark."""
    rng = scene.rng
    size = rng.uniform(0.2, 0.5) * scene.side
    x, y = rng.uniform(0.35, 0.65, 2)
    step = rng.uniform(0.2, 0.4) * size / scene.width
    for digit, way in zip(digits[:2], (-1, 1), strict=True):
        small = pen.written(digit, size, 0, rng)
        scene.add_mark(scene.place(small, x + way * step, y), ink)
