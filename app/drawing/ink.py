"""Ink: a sheet as smooth outlines, drawn at the size asked for.

The grey levels are samples of a smooth surface, a cubic B-spline. Ink is where the surface is above
`LEVEL`, so the edge of the ink is one curve at every size: `coverage` draws it as grey levels,
`app.drawing.outline` gives it as points for SVG, and app/site/web/page/ink.js draws it in the
browser.

A blurred or pale model has no steep edges that an outline could follow. There the edge of the ink
is soft, so that a blur looks like a blur and not like a blob.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.drawing.grid import blurred, enlarged, highest_nearby, slopes
from app.drawing.pen import reshape_strokes

Levels = NDArray[np.uint8]
Floats = NDArray[np.float32]

LEVEL = 0.45  # share of full ink on the outline
SMOOTHING = 0.1  # weight of each neighbour: removes the steps of the pixel grid
FLAT, STEEP = 0.12, 0.3  # change of the ink along a pixel, at soft and at crisp edges
STEEPEST = 0.7  # change of the surface along a pixel, which no edge exceeds
SOFT_WIDTH = 0.7  # of a soft edge, in shares of full ink
SOFT_PIXELS = 2.0  # the same in pixels, where a pen has made a distance of the surface
VISIBLE = LEVEL - SOFT_WIDTH / 2  # the least share of ink that a soft edge shows
FINENESS = 4  # samples along each pixel of the sheet, for pens
MARGIN = 1  # pixels of paper around a sheet, which close the outline of ink at its edge
NEARBY = 8  # pixels of a sheet; those farther away do not change a place, unless with a pen
PART = 2**18  # pixels of the result that are drawn together: bounds the memory
TINY = 1e-6


class Surface(NamedTuple):
    """What sheets of H x W pixels, with their margin, look like between their pixels.

    Attributes:
        height: (..., H * fineness, W * fineness) float32: above 0 in the ink, 0 on its outline, in
            shares of full ink; with a pen in pixels.
        softness: (..., H, W) float32, the width of the edge in the unit of height; None: no soft
            edge.
        fineness: samples of the height along each pixel.
    """

    height: Floats
    softness: Floats | None
    fineness: int


def coverage(sheet: Levels, scale: int, pen: float = 1.0) -> Levels:
    """A sheet as ink with smooth edges.

    Args:
        sheet: (H, W) uint8 grey levels.
        scale: pixels of the result along each pixel of the sheet.
        pen: thickness of the strokes, in multiples of the model's.
    Returns:
        (H * scale, W * scale) uint8, full ink 255.
    """
    height, width = sheet.shape
    columns = max(NEARBY, PART // (height * scale**2))  # that are drawn together
    if pen != 1 or columns >= width:
        return _coverage(sheet, scale, pen)
    parts = []
    for left in range(0, width, columns):
        first = max(left - NEARBY, 0)
        part = _coverage(sheet[:, first : left + columns + NEARBY], scale, pen)
        parts.append(part[:, (left - first) * scale :][:, : columns * scale])
    return np.concatenate(parts, axis=1)


def surface(sheets: Levels, pens: float | NDArray[np.float64]) -> Surface:
    """The surfaces of sheets (..., H, W) uint8 whose strokes are `pens` (...) times as thick."""
    *others, height, width = sheets.shape
    ink = np.zeros((*others, height + 2 * MARGIN, width + 2 * MARGIN), np.float32)
    np.multiply(sheets, 1 / 255, out=ink[..., MARGIN:-MARGIN, MARGIN:-MARGIN])
    ink = blurred(ink, SMOOTHING)
    soft = soft_edges(ink)
    softness = soft if soft.any() else None
    ink -= LEVEL
    if np.all(np.equal(pens, 1)):
        return Surface(ink, None if softness is None else softness * SOFT_WIDTH, 1)
    strokes = np.empty((*others, *(FINENESS * side for side in ink.shape[-2:])), np.float32)
    for index, pen in np.ndenumerate(np.broadcast_to(pens, others)):
        strokes[index] = reshape_strokes(enlarged(ink[index], FINENESS), FINENESS, float(pen))
    return Surface(strokes, None if softness is None else softness * SOFT_PIXELS, FINENESS)


def _coverage(sheet: Levels, scale: int, pen: float) -> Levels:
    """See `coverage`; all at once, which takes about 20 bytes for each pixel of the result."""
    found = surface(sheet, pen)
    # Everything is transposed, as `_spline` leaves it, until the levels are bytes.
    height = np.ascontiguousarray(enlarged(found.height, scale, found.fineness).T)
    width = None
    if found.softness is not None:
        width = np.ascontiguousarray(enlarged(found.softness, scale).T)
    levels = shaded(height, width, scale, pen == 1)
    margin = MARGIN * scale
    return levels.T[margin:-margin, margin:-margin]


def shaded(height: Floats, width: Floats | None, scale: float, plain: bool) -> Levels:
    """The grey levels (H, W) uint8 of a surface; those on its frame do not count.

    Args:
        height: (H, W) float32, see `Surface`.
        width: (H, W) float32 of the edge, in the unit of height; None: no soft edge.
        scale: points along each pixel of the sheet.
        plain: whether no pen has changed the strokes: height is in shares of full ink.
    """
    levels = (height > 0).view(np.uint8) * np.uint8(255)
    reach = (STEEPEST if plain else 1) / scale  # the widest of all crisp edges
    if width is not None:
        reach = max(reach, float(width.max()))
    near = np.flatnonzero(np.abs(height) < reach / 2)
    edge = slopes(height, near) if plain else np.full(len(near), 1 / scale)
    if width is not None:
        np.maximum(edge, width.take(near), out=edge)
    share = np.clip(height.take(near) / np.maximum(edge, TINY) + 0.5, 0, 1)
    levels.reshape(-1)[near] = share * 255 + 0.5
    return levels


def soft_edges(ink: Floats) -> Floats:
    """How soft the edges of ink (..., H, W) are, from 0 to 1; 0 where all visible ink is crisp."""
    change = np.zeros_like(ink)  # along two pixels
    np.abs(ink[..., 2:, :] - ink[..., :-2, :], out=change[..., 1:-1, :])
    across = np.abs(ink[..., 2:] - ink[..., :-2])
    np.maximum(change[..., 1:-1], across, out=change[..., 1:-1])
    steepness = blurred(highest_nearby(change), 1 / 3)
    softness: Floats = np.clip((2 * STEEP - steepness) / (2 * (STEEP - FLAT)), 0, 1)
    softness *= (softness * (ink > VISIBLE)).any(axis=(-1, -2), keepdims=True)
    return softness
