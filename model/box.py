"""The box of a digit: how MNIST places what was written, and how to find it again.

MNIST scales a digit so that its longer side has 20 pixels, and places this box of 20 x 20 pixels in
28 x 28 so that its centre of mass is in the middle. A network that draws the box has less to
draw; placed by the same rule, its digits lie where real ones do.

Source: LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition",
Proceedings of the IEEE 86 (1998), section III.A.
"""

from functools import cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Level = TypeVar("Level", np.uint8, np.float32)


def place(boxes: NDArray[np.uint8], canvas: int) -> NDArray[np.uint8]:
    """Each box in a picture, at round(canvas / 2 - centre of mass) on both axes.

    The first row is how many of k = 1, 2, ... are at most (canvas + 1) / 2 - centre of mass, which
    a sum over the pixels tells. The sums are exact, so every platform places alike. No box reaches
    out of its picture; a blank one may be anywhere.

    Args:
        boxes: (N, h, w) uint8 grey levels, ink 255 on paper 0; of at most `MAX_BOX` pixels in
            height and width.
        canvas: side of the pictures in pixels, at least h and w, at most `MAX_CANVAS`.
    Returns:
        (N, canvas, canvas) uint8, to be read only.
    """
    count, height, width = boxes.shape
    weights, steps = _thresholds(height, width, canvas)
    sums = boxes.reshape(count, height * width).astype(np.float32).dot(weights)
    starts = (sums >= 0).astype(np.float32).dot(steps).tolist()
    # A picture is a run of bytes around its box, which stands in rows as long as its own, with
    # enough paper above and below.
    above, size = canvas - height + 1, canvas * canvas
    padded = np.zeros((count, above + canvas, canvas), np.uint8)
    padded[:, above : above + height, :width] = boxes
    content, first, parts = padded.tobytes(), above * canvas, []
    for start in starts:
        begin = first - int(start)
        parts.append(content[begin : begin + size])
        first += (above + canvas) * canvas
    return np.frombuffer(b"".join(parts), np.uint8).reshape(count, canvas, canvas)


def crop(pictures: NDArray[Level], height: int, width: int) -> NDArray[Level]:
    """The box (N, h, w) of each picture (N, H, W): around the middle of its ink.

    Ink is what is above 0. What lies outside the box is cut off; what is missing is paper.
    """
    count = len(pictures)
    ink: NDArray[np.bool_] = np.not_equal(pictures, 0)
    tops, lefts = (
        _starts(np.any(ink, axis=axis), side) for axis, side in ((2, height), (1, width))
    )
    padded = np.pad(pictures, ((0, 0), (height, height), (width, width)))
    rows = tops[:, None] + np.arange(height, 2 * height)
    columns = lefts[:, None] + np.arange(width, 2 * width)
    boxes: NDArray[Level] = padded[
        np.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]
    ]
    return boxes


@cache
def _thresholds(
    height: int, width: int, canvas: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What tells the place of a box: for each row and column that it may begin at, but the first.

    Returns:
        weights: (h * w, T) of the pixels in T sums. One of at least 0 moves the box a step further.
        steps: (T,) bytes from the old place in the picture to the new one.
    """
    rows, columns = np.divmod(np.arange(height * width), width)
    axes = (rows, height, canvas), (columns, width, 1)
    weights = [
        canvas + 1 - 2 * (first + places)
        for places, side, _ in axes
        for first in range(1, canvas - side + 1)
    ]
    steps = [step for _, side, step in axes for _ in range(canvas - side)]
    table = np.array(weights, np.float32).reshape(len(steps), height * width)
    return np.ascontiguousarray(table.T), np.array(steps, np.float32)


def _starts(ink: NDArray[np.bool_], side: int) -> NDArray[np.intp]:
    """The first row of a box of this many rows around the rows (N, H) that have ink."""
    first = ink.argmax(axis=1)
    last = ink.shape[1] - 1 - ink[:, ::-1].argmax(axis=1)
    return np.asarray(first - (side - (last - first + 1)) // 2)
