"""The outlines of ink: the same curve that `app.drawing.ink` draws, as points."""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from app.drawing.grid import enlarged
from app.drawing.ink import MARGIN, Floats, Levels, surface

FINENESS = 2  # samples along each pixel: a mean error of 0.009 pixels; 4 take three times as long
BANDS = 6  # steps of ink in which a soft edge is drawn
PAPER = -1.0  # a height far below the outline

Mask = NDArray[np.bool_]
# What contourpy returns for its only chunk: points (N, 2), and where outlines begin and end.
Chunks = tuple[list[NDArray[np.float64] | None], list[NDArray[np.uint32] | None]]


class Outlines(NamedTuple):
    """Closed outlines, one after the other.

    Attributes:
        points: (N, 2) float64, x and y in pixels of the sheet; each outline ends with its first
            point again.
        offsets: (n + 1,) int, 0 and then where each outline ends in `points`.
    """

    points: NDArray[np.float64]
    offsets: NDArray[np.intp]


NOTHING = Outlines(np.zeros((0, 2)), np.zeros(1, np.intp))


def contours(sheet: Levels, pen: float = 1.0) -> Iterator[tuple[float, Outlines]]:
    """The outlines of the ink, from the palest to the darkest.

    Args:
        sheet: (H, W) uint8 grey levels.
        pen: thickness of the strokes, in multiples of the model's.
    Yields:
        (share of full ink inside, closed outlines); only one with the share 1 where no edge is
        soft. Digits without a soft edge are in the last one only.
    """
    height, softness, fineness = surface(sheet, pen)
    fine = max(FINENESS, fineness)
    height = enlarged(height, fine, fineness)
    height[[0, -1]] = height[:, [0, -1]] = PAPER  # in the margin: closes every outline
    if softness is not None:
        width = enlarged(softness, fine)
        soft = _soft_columns(height, width)
        part = slice(*_ends(soft))
        raised, edge = np.where(soft, height, np.float32(PAPER))[:, part], width[:, part]
        for band in range(BANDS - 1):
            lines = _outlines(raised - _shift(band) * edge, fine, part.start)
            yield (band + 1) / BANDS, lines
        height = height - _shift(BANDS - 1) * width
    yield 1.0, _outlines(height, fine)


def _shift(band: int) -> np.float32:
    """Where the outline of a band lies in a soft edge, in widths from the middle of the edge."""
    return np.float32((band + 0.5) / BANDS - 0.5)


def _soft_columns(height: Floats, width: Floats) -> Mask:
    """The columns (W,) of digits that have a soft edge, each with a blank one on both sides.

    Blank columns part digits, and the outline of a digit closes in them.

    Args:
        height: (H, W) float32, above 0 in the ink.
        width: (H, W) float32, of its soft edges; 0 where they are crisp.
    """
    visible = height + width / 2 > 0
    ink: Mask = np.asarray(visible.any(axis=0))
    soft: Mask = np.asarray((visible & (width > 0)).any(axis=0))
    begins = np.flatnonzero(ink[1:] != ink[:-1]) + 1  # of all runs of columns but the first
    runs = zip(np.split(ink, begins), np.split(soft, begins), strict=True)
    found: Mask = np.pad(np.concatenate([run & part.any() for run, part in runs]), 1)
    return np.asarray(found[:-2] | found[1:-1] | found[2:])


def _ends(mask: Mask) -> tuple[int, int]:
    """The first True of a mask (W,), and the first place behind the last one."""
    places = np.flatnonzero(mask)
    return (int(places[0]), int(places[-1]) + 1) if len(places) else (0, 0)


def _outlines(height: Floats, fine: int, left: int = 0) -> Outlines:
    """Where a part of a surface with its margin, (H * fine, W * fine), is 0.

    Args:
        height: of the part, (H * fine, w) float32.
        fine: samples along each pixel.
        left: the first column of the part.
    """
    # Imported on first use: most requests are for PNG.
    from contourpy import FillType, LineType, SerialContourGenerator, ZInterp

    if not height.shape[1]:
        return NOTHING
    # What `contourpy.contour_generator` makes of these arguments, without its search for values
    # that are not finite, which takes as long as the outlines.
    generator = SerialContourGenerator(
        *_grid(height.shape),
        height.astype(np.float64),
        None,  # type: ignore[arg-type]  # no mask, as `contour_generator` passes it
        corner_mask=False,
        line_type=LineType.ChunkCombinedOffset,
        fill_type=FillType.OuterOffset,
        quad_as_tri=False,
        z_interp=ZInterp.Linear,
    )
    (points,), (offsets,) = cast(Chunks, generator.lines(0.0))
    if points is None or offsets is None:
        return NOTHING
    # The samples lie in the middle of their parts of a pixel.
    offset = np.array([left + 0.5, 0.5]) - MARGIN * fine
    return Outlines((points + offset) / fine, offsets.astype(np.intp))


@lru_cache(maxsize=16)
def _grid(shape: tuple[int, int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The columns and rows of samples, each (H, W)."""
    rows, columns = np.indices(shape, np.float64)
    return columns, rows
