"""Marks between digits, such as a decimal point: drawn by rule, not by the model.

A mark is a few strokes of a pen with a round tip, in the slant and weight of the digits of its
line. app/site/web/page/marks.js draws the same in the browser.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.drawing.canvas import baseline_of
from app.request.line import MARKS

Levels = NDArray[np.uint8]
Floats = NDArray[np.floating[Any]]
Point = tuple[float, float]

SIDE = 28  # pixels of the pictures in which strokes are measured
DOT = 1.3  # diameter of a dot, in widths of a stroke
MAX_SLANT = 0.6  # columns to the right, per row up
LEAST_WEIGHT, MOST_WEIGHT = 1.0, 4.0  # pixels, width of a stroke
# From the middle of the baseline, to the right and up; a stroke that ends where it begins is a dot.
STROKES: dict[str, tuple[tuple[Point, Point], ...]] = {
    ".": (((0, 1.5), (0, 1.5)),),
    ",": (((0.5, 1), (-1, -2)),),
    ":": (((0, 4), (0, 4)), ((0, 13), (0, 13))),
    "-": (((-4, 9), (4, 9)),),
    "/": (((0, -1), (0, 20)),),
    " ": (),
}
LEANING = {"/": 0.4}  # beside the slant of the line


def with_marks(digits: Levels, text: str) -> Levels:
    """The pictures of a text, each mark as a picture of its own.

    Args:
        digits: (R, N, H, W) uint8, lines of the digits of the text.
        text: N digits, and marks.
    Returns:
        (R, length of the text, H, W) uint8.
    """
    rows, _, *size = digits.shape
    pictures = np.zeros((rows, len(text), *size), np.uint8)
    marked = np.array([sign in MARKS for sign in text])
    pictures[:, ~marked] = digits
    signs = [sign for sign in text if sign in MARKS]
    for row, line in enumerate(digits):
        pictures[row, marked] = marks_beside(line, signs)
    return pictures


def marks_beside(line: Levels, signs: Sequence[str]) -> Levels:
    """The pictures (M, H, W) of marks, in the weight and slant of a line of digits (N, H, W)."""
    weight, slant = _weight(line), _slant(line)
    size = line.shape[1], line.shape[2]
    pictures = [_mark(sign, weight, slant, size) for sign in signs]
    return np.array(pictures, np.uint8).reshape(-1, *size)


def _mark(sign: str, weight: float, slant: float, size: tuple[int, int]) -> Levels:
    """A mark (H, W) in the weight and slant of its line."""
    height, width = size
    lean = slant + LEANING.get(sign, 0)
    unit = height / SIDE
    # Of the middle of each pixel, from the middle of the baseline, without the slant.
    up: Floats = baseline_of(height) - 0.5 - np.arange(height)[:, None]
    right: Floats = np.arange(width) + 0.5 - width / 2 - lean * up
    ink = np.zeros((height, width))
    for begin, end in STROKES[sign]:
        radius = weight / 2 * (DOT if begin == end else 1)
        distance = _distance(right, up, np.array(begin) * unit, np.array(end) * unit)
        ink = np.maximum(ink, np.clip(radius - distance + 0.5, 0, 1))
    return np.rint(255 * ink).astype(np.uint8)


def _distance(right: Floats, up: Floats, begin: Floats, end: Floats) -> Floats:
    """The distance (H, W) of points from a stroke."""
    along = end - begin
    length = float(along @ along)
    x, y = right - begin[0], up - begin[1]
    share = np.clip((x * along[0] + y * along[1]) / length, 0, 1) if length else 0.0
    distance: Floats = np.hypot(x - share * along[0], y - share * along[1])
    return distance


def _weight(line: Levels) -> float:
    """The width of the strokes of digits (N, H, W), in pixels: ink for each two pixels of edge."""
    ink = np.pad(line / 255, ((0, 0), (1, 1), (1, 1)))
    edge = np.hypot(np.diff(ink, axis=1)[:, :, 1:], np.diff(ink, axis=2)[:, 1:]).sum()
    return float(np.clip(2 * ink.sum() / max(edge, 1), LEAST_WEIGHT, MOST_WEIGHT))


def _slant(line: Levels) -> float:
    """The mean slant of digits (N, H, W), in columns to the right per row up.

    Of each digit it is the slope of the regression of the ink's column on its row.
    """
    ink = line / 255
    total = np.maximum(ink.sum(axis=(1, 2)), 1e-9)[:, None]
    rows, columns = np.arange(line.shape[1]), np.arange(line.shape[2])
    row = rows - (ink.sum(axis=2) @ rows)[:, None] / total
    column = columns - (ink.sum(axis=1) @ columns)[:, None] / total
    lean = np.einsum("nhw,nh,nw->n", ink, row, column)
    spread = np.maximum(np.einsum("nh,nh->n", ink.sum(axis=2), row * row), 1e-9)
    return float(np.clip((-lean / spread).mean(), -MAX_SLANT, MAX_SLANT))
