"""Pens: strokes made thinner or thicker, by their distance from the middle of the stroke."""

import numpy as np
from numpy.typing import NDArray

from app.drawing.grid import blurred

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

REACH = 7  # pixels, the greatest distance that is measured: half a digit
HAIRLINE = 0.3  # pixels, the least distance from the middle of a stroke to its edge
GAP = 0.4  # share of a gap's width that stays paper, so that an 8 does not fill in
ENCLOSED = 7  # neighbours from which a point is inside a stroke
NEARBY = 2  # pixels along a stroke over which its width is averaged


def reshape_strokes(height: Floats, fineness: int, pen: float) -> Floats:
    """The distance from the edge of the strokes, positive inside, with another thickness.

    A stroke that becomes thinner keeps the points near its middle line. One that becomes thicker
    grows by a share of its own width, and stops before the middle line of the paper beside it.

    Args:
        height: (H, W) float32, above 0 in the ink.
        fineness: points along each pixel.
        pen: the new thickness, in multiples of the old.
    Returns:
        (H, W) float32, in pixels.
    """
    ink = height > 0
    reach = REACH * fineness
    inside, outside = distance(ink, reach) - 0.5, distance(~ink, reach) - 0.5
    edge = np.where(ink, inside, -outside)
    middle = middle_line(ink)
    if pen < 1:
        half = _width(inside, middle, NEARBY * fineness)
        least = np.maximum(pen * half, HAIRLINE * fineness)
        from_middle = least - distance(~middle, reach)
        # Both are 0 at the same place. The first keeps the shape, the second the middle.
        edge = pen * (edge - (1 - pen) * half) + (1 - pen) * from_middle
    else:
        edge += (pen - 1) * _width(inside, middle, reach)
        edge = np.minimum(edge, _kept_paper(outside, fineness))
    return blurred(blurred((edge / fineness).astype(np.float32), 1 / 4), 1 / 4)


def _kept_paper(outside: Floats, fineness: int) -> Floats:
    """The distance (H, W) from the paper that must stay, around the middle lines of the gaps.

    Args:
        outside: (H, W) float32, the distance from the ink.
        fineness: points along each pixel.
    """
    gap = middle_line(outside > 0)
    width = _width(outside, gap, NEARBY * fineness)
    kept = np.minimum(np.maximum(GAP * width, HAIRLINE * fineness), width)
    paper: Floats = distance(~gap, REACH * fineness) - kept
    return paper


def distance(mask: Mask, reach: int) -> Floats:
    """The distance (H, W) of each True from the nearest False, in points, at most `reach`.

    Source: Felzenszwalb and Huttenlocher, Distance Transforms of Sampled Functions, 2012: columns
    first, then the least sum of squares along the rows.
    """
    rows = np.arange(len(mask))[:, None]
    above = rows - np.maximum.accumulate(np.where(mask, -reach, rows), axis=0)
    upturned = np.where(mask[::-1], -reach, rows)
    below = (rows - np.maximum.accumulate(upturned, axis=0))[::-1]
    squares = np.minimum(np.minimum(above, below), reach).astype(np.float32) ** 2
    nearest = squares.copy()
    for step in range(1, reach):
        np.minimum(nearest[:, step:], squares[:, :-step] + step**2, out=nearest[:, step:])
        np.minimum(nearest[:, :-step], squares[:, step:] + step**2, out=nearest[:, :-step])
    return np.sqrt(nearest)


def middle_line(mask: Mask) -> Mask:
    """The middle lines (H, W) of the strokes of a mask, one point wide.

    Source: Zhang and Suen, A Fast Parallel Algorithm for Thinning Digital Patterns, 1984.
    """
    thin, changed = mask, True
    while changed:
        changed = False
        for sides in ((0, 2, 4, 6), (2, 0, 6, 4)):
            ring = _neighbours(thin)
            a, b, c, d = (ring[place] for place in sides)
            removed = thin & _removable(ring) & ~(a & b & c) & ~(b & c & d)
            thin, changed = thin & ~removed, changed or bool(removed.any())
    return thin


def _neighbours(mask: Mask) -> list[Mask]:
    """The eight neighbours of each point, clockwise from the one above."""
    padded = np.pad(mask, 1)
    height, width = mask.shape
    places = ((0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0), (0, 0))
    return [padded[y : y + height, x : x + width] for y, x in places]


def _removable(ring: list[Mask]) -> Mask:
    """Whether a point with these neighbours lies on an edge and connects nothing."""
    count = np.sum(ring, axis=0, dtype=np.int8)
    begins = [before < after for before, after in zip(ring, ring[1:] + ring[:1], strict=True)]
    removable: Mask = (
        (count > 1) & (count < ENCLOSED) & (np.sum(begins, axis=0, dtype=np.int8) == 1)
    )
    return removable


def _width(depth: Floats, middle: Mask, radius: int) -> Floats:
    """Half the width (H, W) of the nearest stroke: the mean depth of its middle line nearby."""
    count = _box_sum(middle.astype(np.float32), radius)
    total = _box_sum(depth * middle, radius)
    width: Floats = (total / np.maximum(count, 1)).astype(np.float32)
    return width


def _box_sum(values: Floats, radius: int) -> Floats:
    """The sum of the values (H, W) in a square of 2 * radius + 1 around each."""
    result = values
    for _ in range(2):  # down, then across
        sums = np.pad(result, ((radius + 1, radius), (0, 0))).cumsum(axis=0, dtype=np.float64)
        result = (sums[2 * radius + 1 :] - sums[: -2 * radius - 1]).T.astype(np.float32)
    return result
