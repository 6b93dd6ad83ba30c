"""Many numbers at once on pictures of one size, and the box of each digit."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from app.drawing.canvas import SPACE, baseline_of, enlarge, ink_boxes
from app.drawing.dataset.ink import ink_digits
from app.request.ranges import Size
from app.request.schemas import BEARING

Levels = NDArray[np.uint8]
Integers = NDArray[np.intp]


@dataclass(frozen=True)
class Style:
    """How N numbers are set.

    Attributes:
        spacing: "cell" or "tight", as in `app.drawing.canvas.stitch`.
        gaps: (N,) pixels between two digits, before scaling.
        scales: (N,) size of the digits, > 0.
        canvas: of each picture.
        margin: pixels of paper on each side.
        place: (N, 2) in [0, 1): share of the room to spare that is above and left of the number.
        fixed: whether each picture is the canvas; otherwise it ends with its number and margin.
        boxes: whether the boxes of the digits are wanted.
        standing: (N, L), which pictures stand on the baseline, see `app.drawing.canvas.stitch`.
        pens: (N,) thickness of the strokes of ink; None draws pixels.
    """

    spacing: str
    gaps: Integers
    scales: NDArray[np.float64]
    canvas: Size
    margin: int
    place: NDArray[np.float64]
    fixed: bool
    boxes: bool
    standing: NDArray[np.bool_]
    pens: NDArray[np.float64] | None = None

    def plain(self, height: int, width: int) -> bool:
        """Whether numbers are cells side by side, of which the longest fills its picture."""
        cells = self.spacing == "cell" and not self.boxes and not self.gaps.any()
        cells = cells and self.pens is None
        filled = self.canvas == Size(height, width) and (self.scales == 1).all()
        return bool(cells and filled)


@dataclass(frozen=True)
class Sheets:
    """N pictures of numbers.

    Attributes:
        images: (N, H, W) uint8 grey levels, ink 255 on 0.
        sizes: (N, 2) height and width of the part of each image that is the picture.
        boxes: (N, L, 4) int16 left, top, right, bottom of each digit's ink, the last two
            exclusive; 0 without ink, and after the end. None where they are not wanted.
    """

    images: Levels
    sizes: Integers
    boxes: NDArray[np.int16] | None

    @property
    def levels(self) -> memoryview:
        """The grey levels of all images as bytes, without a copy."""
        return self.images.reshape(-1).data


def set_numbers(pictures: Levels, used: NDArray[np.bool_], style: Style) -> Sheets:
    """The pictures of numbers.

    Args:
        pictures: (M, H, W) the digits of all numbers, one number after the other.
        used: (N, L), where each number has a digit, M in all.
        style: how they are set.
    """
    count, longest = used.shape
    cell = Size(*pictures.shape[1:])
    if style.plain(cell.height, cell.width * longest) and (used.all() or not style.fixed):
        return _side_by_side(pictures, used)
    heights = np.rint(cell.height * style.scales).astype(np.intp)
    inks = np.zeros((count, longest, 4), dtype=np.intp)  # boxes within the cells, not scaled
    if style.spacing == "tight":
        inks[used] = ink_boxes(pictures)
        spaces = used & ~style.standing
        spaces[spaces] = ~pictures[spaces[used]].any(axis=(1, 2))
        inks[spaces] = 0, 0, round(cell.width * SPACE), cell.height
    x, y, widths = (_tight if style.spacing == "tight" else _cells)(used, inks, style, cell)
    room = np.array([style.canvas.height, style.canvas.width]) - 2 * style.margin
    spare = room - np.column_stack([heights, widths])
    offsets = style.margin + (style.place * (spare + 1)).astype(np.intp) * style.fixed
    x, y = x + offsets[:, 1:], y + offsets[:, :1]
    sheets, boxes = _paste(pictures, used, (x, y), style)
    ends = np.column_stack([heights, widths]) + 2 * style.margin
    sizes = np.broadcast_to([style.canvas.height, style.canvas.width], ends.shape)
    return Sheets(sheets, sizes if style.fixed else ends, boxes)


def _side_by_side(pictures: Levels, used: NDArray[np.bool_]) -> Sheets:
    """See `set_numbers`: numbers as cells, on pictures that end with their numbers."""
    (count, longest), (height, width) = used.shape, pictures.shape[1:]
    sheets = pictures  # of one digit they are the pictures
    if longest > 1:
        row = np.dtype((np.void, width))  # rows of pixels as one value are copied faster
        lines = np.zeros((count, height, longest), row)
        lines.transpose(0, 2, 1)[used] = pictures.view(row)[..., 0]
        sheets = lines.view(np.uint8).reshape(count, height, -1)
    widths = width * used.sum(axis=1)
    return Sheets(sheets, np.column_stack([np.full_like(widths, height), widths]), None)


def resample(pictures: Levels, size: Size) -> Levels:
    """Pictures (M, H, W) in another size: whole multiples repeat pixels, others interpolate."""
    height, width = pictures.shape[1:]
    scale = size.height // height
    if size == Size(height * scale, width * scale):
        return enlarge(pictures, scale)
    down, across = _weights(size.height, height), _weights(size.width, width)
    resampled: Levels = np.rint(down @ pictures.astype(np.float32) @ across.T).astype(np.uint8)
    return resampled


def _cells(
    used: NDArray[np.bool_], _: Integers, style: Style, cell: Size
) -> tuple[Integers, Integers, Integers]:
    steps = np.rint((cell.width + style.gaps) * style.scales).astype(np.intp)
    widths = np.rint(cell.width * style.scales).astype(np.intp)
    x = steps[:, None] * np.arange(used.shape[1])
    return x, np.zeros_like(x), steps * (used.sum(axis=1) - 1) + widths


def _tight(
    used: NDArray[np.bool_], inks: Integers, style: Style, cell: Size
) -> tuple[Integers, Integers, Integers]:
    """As `app.drawing.canvas` sets a line by its ink, for all numbers at once."""
    left, top, right, bottom = np.moveaxis(inks, 2, 0)
    widths = right - left + 2 * BEARING
    steps = np.maximum(widths + style.gaps[:, None], 1)
    starts = np.cumsum(steps, axis=1) - steps
    ends = np.where(used, starts + widths, 0).max(axis=1)
    scales = style.scales[:, None]
    x = np.rint((starts + BEARING - left) * scales).astype(np.intp)
    down = np.maximum(baseline_of(cell.height) - bottom, -top) * style.standing
    y = np.rint(down * scales).astype(np.intp)
    return x, y, np.ceil(ends * style.scales).astype(np.intp)


def _paste(
    pictures: Levels,
    used: NDArray[np.bool_],
    places: tuple[Integers, Integers],
    style: Style,
) -> tuple[Levels, NDArray[np.int16] | None]:
    """The digits on their pictures, the stronger ink visible, and the boxes of their ink.

    Digits are pasted position by position, each for all pictures at once. A frame around the
    canvas takes the parts outside.
    """
    (x, y), canvas = places, style.canvas
    sides = np.rint(np.array(pictures.shape[1:]) * style.scales[:, None]).astype(np.intp)
    above, before = sides.max(axis=0).tolist()
    framed = (len(used), canvas.height + 2 * above, canvas.width + 2 * before)
    sheets = np.zeros(framed, dtype=np.uint8)
    boxes = np.zeros((*used.shape, 4), dtype=np.int16) if style.boxes else None
    index = np.zeros(used.shape, dtype=np.intp)
    index[used] = np.arange(len(pictures))
    for size in np.unique(sides, axis=0):
        windows = sliding_window_view(sheets, tuple(size), axis=(1, 2), writeable=True)
        for position in range(used.shape[1]):
            rows = np.flatnonzero(used[:, position] & (sides == size).all(axis=1))
            if not len(rows):
                continue
            left, top = x[rows, position], y[rows, position]
            digits = _drawn(pictures[index[rows, position]], Size(*size.tolist()), style, rows)
            target = rows, top + above, left + before
            windows[target] = np.maximum(windows[target], digits)
            if boxes is not None:
                corner = np.column_stack([left, top, left, top])
                boxes[rows, position] = ink_boxes(digits) + corner
                boxes[rows[~digits.any(axis=(1, 2))], position] = 0
    inner = sheets[:, above : above + canvas.height, before : before + canvas.width]
    return np.ascontiguousarray(inner), boxes


def _drawn(pictures: Levels, size: Size, style: Style, rows: Integers) -> Levels:
    """Digits of the numbers `rows` in the size of the picture, as pixels or as ink."""
    if style.pens is None:
        return resample(pictures, size)
    return ink_digits(pictures, size, style.pens[rows])


@lru_cache(maxsize=512)
def _weights(side: int, pixels: int) -> NDArray[np.float32]:
    """(side, pixels): interpolates a line of pixels linearly, and averages where it shrinks."""
    centres = (np.arange(side) + 0.5) * pixels / side - 0.5
    distances = np.abs(centres[:, None] - np.arange(pixels))
    weights = np.maximum(0, 1 - distances / max(1, pixels / side))
    shares: NDArray[np.float32] = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares
