"""Values on a grid: the spline between them, their blur, their slopes."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def enlarged(values: Floats, scale: int, fineness: int = 1) -> Floats:
    """The cubic B-spline of values, at other points.

    Args:
        values: (H * fineness, W * fineness) float32.
        scale: points along each pixel.
        fineness: values along each pixel.
    Returns:
        (H * scale, W * scale) float32.
    """
    if scale == fineness:
        return blurred(values, 1 / 6)  # the B-spline at its own points
    lines = _spline(values, scale, fineness)
    return _spline(np.ascontiguousarray(lines.T), scale, fineness).T


def blurred(values: Floats, weight: float) -> Floats:
    """Values (..., H, W) with a share of their four neighbours; outside of them is 0."""
    for _ in range(2):  # down, then across
        side = values * np.float32(weight)
        values = values * np.float32(1 - 2 * weight)
        values[..., 1:, :] += side[..., :-1, :]
        values[..., :-1, :] += side[..., 1:, :]
        values = values.swapaxes(-1, -2)
    return values


def highest_nearby(values: Floats) -> Floats:
    """The highest of the values (..., H, W), none below 0, at most 2 places away."""
    for _ in range(2):  # down, then across
        *others, height, width = values.shape
        padded = np.zeros((*others, height + 4, width), np.float32)
        padded[..., 2:-2, :] = values
        pairs = np.maximum(padded[..., :-1, :], padded[..., 1:, :])
        fours = np.maximum(pairs[..., :-2, :], pairs[..., 2:, :])
        values = np.maximum(fours[..., :-1, :], padded[..., 4:, :]).swapaxes(-1, -2)
    return values


def slopes(height: Floats, places: NDArray[np.intp]) -> Floats:
    """How much a surface (H, W) changes along a point, at places (n,) of its flat form."""
    flat, step = height.reshape(-1), height.shape[1]
    across = flat.take(places + 1, mode="clip") - flat.take(places - 1, mode="clip")
    down = flat.take(places + step, mode="clip") - flat.take(places - step, mode="clip")
    steepness: Floats = np.sqrt(across * across + down * down) * np.float32(0.5)
    return steepness


def _spline(values: Floats, scale: int, fineness: int) -> Floats:
    """The B-spline of values (H * fineness, W) along the first axis: (H * scale, W)."""
    first, weights = _taps(len(values), scale, fineness)
    padded = np.concatenate([values[:1], values[:1], values, values[-1:], values[-1:]])
    result = padded.take(first, axis=0)
    result *= weights[0]
    part = np.empty_like(result)
    for step in range(1, 4):
        padded.take(first + step, axis=0, out=part, mode="clip")
        part *= weights[step]
        result += part
    return result


@lru_cache(maxsize=64)
def _taps(count: int, scale: int, fineness: int) -> tuple[NDArray[np.intp], Floats]:
    """The first of four padded values for each point (n,), and their weights (4, n, 1)."""
    points = (np.arange(count // fineness * scale) + 0.5) * fineness / scale - 0.5
    left, weights = taps(points)
    return left + 1, weights[:, :, None].astype(np.float32)


def taps(points: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Between which values of a B-spline points lie, and what they take from each.

    Args:
        points: (n,) where value i is at i.
    Returns:
        (n,) the value left of each point, and (4, n) the weights of the value before that, of
        that, and of the two after it.
    """
    left = np.floor(points)
    t = points - left
    weights = [(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3]
    return left.astype(np.intp), np.asarray(weights) / 6
