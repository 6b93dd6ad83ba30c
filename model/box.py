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

    The sums are exact, and a quotient of two of them is a half only if it is one exactly, so every
    platform places alike. No box reaches out of its picture.

    Args:
        boxes: (N, h, w) uint8 grey levels, ink 255 on paper 0; of at most `MAX_BOX` pixels in
            height and width.
        canvas: side of the pictures in pixels, at least h and w.
    Returns:
        (N, canvas, canvas) uint8.
    """
    count, height, width = boxes.shape
    # One product gives mass and moments. The sums of integers below 2^24 are exact in float32.
    sums = boxes.reshape(count, height * width).astype(np.float32) @ _moments(height, width)
    # In rows as long as those of the picture a box is one run of bytes, which one copy places.
    rows = np.zeros((count, height, canvas), np.uint8)
    rows[:, :, :width] = boxes
    pictures = np.zeros((count, canvas, canvas), np.uint8)
    source, target = rows.reshape(-1).data, pictures.reshape(-1).data
    size = (height - 1) * canvas + width
    middle, below, right_of = (canvas + 1) / 2, canvas - height, canvas - width
    for index, (mass, down, right) in enumerate(sums.tolist()):
        divisor = mass or 1.0  # a blank box may be anywhere
        top, left = int(middle - down / divisor), int(middle - right / divisor)
        # Not min and max, which take half of the time of placing a digit.
        top = 0 if top < 0 else below if top > below else top
        left = 0 if left < 0 else right_of if left > right_of else left
        start, first = (index * canvas + top) * canvas + left, index * height * canvas
        target[start : start + size] = source[first : first + size]
    return pictures


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
def _moments(height: int, width: int) -> NDArray[np.float32]:
    """The weights (h * w, 3) of pixels in the mass and in the moments of rows and columns."""
    rows, columns = np.divmod(np.arange(height * width), width)
    return np.stack([np.ones_like(rows), rows, columns], axis=1).astype(np.float32)


def _starts(ink: NDArray[np.bool_], side: int) -> NDArray[np.intp]:
    """The first row of a box of this many rows around the rows (N, H) that have ink."""
    first = ink.argmax(axis=1)
    last = ink.shape[1] - 1 - ink[:, ::-1].argmax(axis=1)
    return np.asarray(first - (side - (last - first + 1)) // 2)
