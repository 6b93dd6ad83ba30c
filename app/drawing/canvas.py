"""Digits as one sheet of grey levels. Knows neither the model nor any file format."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.request.schemas import BEARING

Levels = NDArray[np.uint8]

INK_LEVEL = 64  # grey level from which a pixel counts as ink in tight spacing
BASELINE = 24 / 28  # of a picture's height, below the feet: where MNIST's box of 20 pixels ends
SPACE = 1 / 4  # width of a space, in widths of a picture


@dataclass(frozen=True)
class Place:
    """Position of a picture's upper left corner on its line, in pixels; may lie outside."""

    x: int
    y: int = 0


def stitch(
    pictures: Levels, spacing: str = "cell", gap: int = 0, standing: Sequence[bool] | bool = True
) -> Levels:
    """One sheet of pictures (R, N, H, W) uint8: R lines of N digits, stacked without a gap.

    Args:
        pictures: grey levels, ink 255 on 0.
        spacing: "cell" sets each picture W pixels wide; "tight" sets digits by their ink, with
            `BEARING` pixels left and right of it.
        gap: pixels between two digits; where digits overlap, the stronger ink is visible.
        standing: whether "tight" sets the feet of a picture on the baseline, for all pictures of a
            line or for each. Letters keep their height, because some reach below that line, and
            marks, of which one without ink is a space.
    Returns:
        (R * H, width) uint8. Lines are aligned left; the widest gives the sheet its width.
    """
    rows, count, height, width = pictures.shape
    if spacing == "cell" and gap == 0:
        return pictures.transpose(0, 2, 1, 3).reshape(rows * height, count * width)
    standing = [standing] * count if isinstance(standing, bool) else standing
    lines = [_line(line, spacing, gap, standing) for line in pictures]
    sheet = np.zeros((rows * height, max(line.shape[1] for line in lines)), dtype=np.uint8)
    for row, line in enumerate(lines):
        sheet[row * height : (row + 1) * height, : line.shape[1]] = line
    return sheet


def enlarge(pictures: Levels, scale: int) -> Levels:
    """Pictures (..., H, W) with each pixel as a square of `scale` x `scale`."""
    return pictures if scale == 1 else pictures.repeat(scale, axis=-2).repeat(scale, axis=-1)


def ink_boxes(pictures: Levels) -> NDArray[np.intp]:
    """Left, top, right and bottom of the ink of pictures (N, H, W): (N, 4), the last two exclusive.

    A picture without ink has the box of the whole picture.
    """
    ink = pictures >= INK_LEVEL
    height, width = pictures.shape[1:]
    columns, rows = np.asarray(ink.any(axis=1)), np.asarray(ink.any(axis=2))
    boxes = np.column_stack(
        [
            columns.argmax(axis=1),
            rows.argmax(axis=1),
            width - columns[:, ::-1].argmax(axis=1),
            height - rows[:, ::-1].argmax(axis=1),
        ]
    )
    boxes[~columns.any(axis=1)] = 0, 0, width, height
    return boxes


def baseline_of(height: int) -> int:
    """The row below the feet of the digits, in a picture that many pixels high."""
    return round(height * BASELINE)


def _line(pictures: Levels, spacing: str, gap: int, standing: Sequence[bool]) -> Levels:
    tight = spacing == "tight"
    places, width = _tight(pictures, gap, standing) if tight else _cells(pictures, gap)
    line = np.zeros((pictures.shape[1], width), dtype=np.uint8)
    for picture, place in zip(pictures, places, strict=True):
        _place(line, picture, place)
    return line


def _cells(pictures: Levels, gap: int) -> tuple[list[Place], int]:
    count, _, width = pictures.shape
    step = width + gap
    return [Place(index * step) for index in range(count)], step * (count - 1) + width


def _tight(pictures: Levels, gap: int, standing: Sequence[bool]) -> tuple[list[Place], int]:
    places, x, end = [], 0, 0
    feet = baseline_of(pictures.shape[1])
    boxes = ink_boxes(pictures).tolist()
    for picture, stands, box in zip(pictures, standing, boxes, strict=True):
        left, top, right, bottom = box
        if not stands and not picture.any():
            left, right = 0, round(picture.shape[1] * SPACE)
        places.append(Place(x + BEARING - left, max(feet - bottom, -top) if stands else 0))
        width = right - left + 2 * BEARING
        end = max(end, x + width)
        x += max(width + gap, 1)  # a line never runs backwards, even with thin digits
    return places, end


def _place(line: Levels, picture: Levels, place: Place) -> None:
    """Write a picture onto a line. The stronger ink stays; parts outside the line are cut off."""
    top, left = max(place.y, 0), max(place.x, 0)
    bottom = min(place.y + picture.shape[0], line.shape[0])
    right = min(place.x + picture.shape[1], line.shape[1])
    target = line[top:bottom, left:right]
    part = picture[top - place.y : bottom - place.y, left - place.x : right - place.x]
    np.maximum(target, part, out=target)
