"""Digits as ink, as `app.drawing.ink` draws a sheet: many at once, and at any size.

Each digit is drawn by itself. Apart from what a pen does, the surface of a digit is linear in its
grey levels, so two matrices make the surfaces of all digits of one size.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from app.drawing.grid import taps
from app.drawing.ink import MARGIN, shaded, surface
from app.request.ranges import Size

AT_A_TIME = 256  # digits: the surfaces of more leave the processor's cache
Levels = NDArray[np.uint8]
Floats = NDArray[np.float32]


def ink_digits(pictures: Levels, size: Size, pens: NDArray[np.float64]) -> Levels:
    """Digits as ink with smooth edges, in another size.

    Args:
        pictures: (M, H, W) grey levels.
        size: of the result.
        pens: (M,) thickness of the strokes of each, in multiples of the model's.
    Returns:
        (M, size.height, size.width) uint8, full ink 255.
    """
    starts = range(0, len(pictures), AT_A_TIME)
    parts = [slice(start, start + AT_A_TIME) for start in starts]
    return np.concatenate([_inked(pictures[part], size, pens[part]) for part in parts])


def _inked(pictures: Levels, size: Size, pens: NDArray[np.float64]) -> Levels:
    """See `ink_digits`."""
    height, width = pictures.shape[1:]
    # Digits that shrink are drawn larger, and averaged: thin strokes need points inside.
    times = max(-(-height // size.height), -(-width // size.width))
    levels = _drawn(pictures, Size(size.height * times, size.width * times), pens)
    if times == 1:
        return levels
    parts = levels.reshape(-1, size.height, times, size.width, times)
    averaged: Levels = np.rint(parts.mean(axis=(2, 4))).astype(np.uint8)
    return averaged


def _drawn(pictures: Levels, size: Size, pens: NDArray[np.float64]) -> Levels:
    """Digits as ink, at least as large as they are."""
    scale = size.height / pictures.shape[1]
    found = surface(pictures, pens)
    height = _enlarged(found.height, size, found.fineness)
    width = None if found.softness is None else _enlarged(found.softness, size, 1)
    # One below the other: `shaded` leaves out the frame of each, where they meet.
    column = -1, size.width + 2
    levels = shaded(
        height.reshape(column),
        None if width is None else width.reshape(column),
        scale,
        found.fineness == 1,
    )
    return levels.reshape(height.shape)[:, 1:-1, 1:-1]


def _enlarged(values: Floats, size: Size, fineness: int) -> Floats:
    """The B-spline (M, height + 2, width + 2) of values (M, ...), with a frame of one point."""
    rows, columns = values.shape[1:]
    down = _matrix(size.height, rows // fineness - 2 * MARGIN, fineness)
    across = _matrix(size.width, columns // fineness - 2 * MARGIN, fineness)
    return np.asarray(down @ values @ across.T, np.float32)


@lru_cache(maxsize=512)
def _matrix(side: int, pixels: int, fineness: int) -> Floats:
    """(side + 2, (pixels + 2 * MARGIN) * fineness): the spline at the points of a line."""
    count = (pixels + 2 * MARGIN) * fineness
    points = ((np.arange(-1, side + 1) + 0.5) * pixels / side + MARGIN) * fineness - 0.5
    left, weights = taps(points)
    matrix = np.zeros((side + 2, count), np.float32)
    for step, weight in enumerate(weights, -1):
        np.add.at(matrix, (np.arange(side + 2), np.clip(left + step, 0, count - 1)), weight)
    return matrix
