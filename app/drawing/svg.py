"""A sheet as an SVG of the outlines of its ink: small, and sharp at any size."""

from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from numpy.typing import NDArray

from app.drawing.outline import Outlines, contours
from app.drawing.palette import Palette

STEPS = 20  # units of the drawing per pixel: integers are short as text
SPACING = 0.7  # pixels between two points of an outline
SPECK = 1.0  # pixels; shorter outlines are not drawn
MIN_POINTS = 6  # of an outline
FARTHEST = 64  # units; neighbouring points are closer, by SPACING and MIN_POINTS
# The texts of -FARTHEST to FARTHEST - 1, behind other numbers: looked up, because `str` takes ten
# times as long. A negative number counts from the end, as an index does.
TEXTS = np.array(
    [*(f" {n}" for n in range(FARTHEST)), *map(str, range(-FARTHEST, 0))], dtype=object
)


def encode_svg(
    sheet: NDArray[np.uint8],
    digits: str,
    facts: Mapping[str, str],
    palette: Palette,
    scale: int,
    pen: float = 1.0,
) -> bytes:
    """The outlines of the ink of a sheet, see `app.drawing.ink`.

    Args:
        sheet: (H, W) uint8 grey levels, not enlarged.
        digits: the digits that it shows, for readers who cannot see it.
        facts: how to reproduce the picture, as text in <desc>.
        palette: ink and paper.
        scale: width and height of the SVG, in multiples of the sheet's.
        pen: thickness of the strokes, in multiples of the model's.
    """
    height, width = (side * STEPS for side in sheet.shape)
    background = f'<path fill="#{palette.paper}" d="M0 0h{width}v{height}H0z"/>'
    text = "; ".join(f"{word}={value}" for word, value in facts.items())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{sheet.shape[1] * scale}" height="{sheet.shape[0] * scale}" role="img" '
        f"aria-label={quoteattr(digits)}><title>{escape(digits)}</title><desc>{escape(text)}</desc>"
        f"{'' if palette.transparent else background}"
        f'<g fill="#{palette.ink}" fill-rule="evenodd">{_paths(sheet, pen)}</g></svg>'
    ).encode()


def _paths(sheet: NDArray[np.uint8], pen: float) -> str:
    """A path for each share of ink. Each lies on those before it and adds what they lack."""
    paths, below = [], 0.0
    for share, outlines in contours(sheet, pen):
        opacity = (share - below) / (1 - below)
        below = share
        attribute = "" if opacity == 1 else f' fill-opacity="{opacity:.3g}"'
        paths.append(f'<path{attribute} d="{_curves(outlines)}"/>')
    return "".join(paths)


def _curves(outlines: Outlines) -> str:
    """Closed outlines as cubic curves through points of equal distance (Catmull-Rom)."""
    if not len(outlines.points):
        return ""
    points, counts = _points(outlines)
    ends = counts.cumsum()
    begins = ends - counts
    after = np.arange(len(points)) + 1
    after[ends - 1] = begins
    end, beyond = points[after], points[after[after]]
    # Of each curve: its second control point and its end, relative to its beginning. The first
    # control point mirrors the one before, which the command s leaves out.
    steer = end - np.rint((beyond - points) / 6).astype(int)
    numbers = np.hstack([steer - points, end - points]).ravel()
    texts = TEXTS[numbers].tolist()
    first = np.rint((end[begins] - points[ends - 1]) / 6).astype(int)
    parts: list[str] = []
    for (x, y), (right, down), begin, stop in zip(
        points[begins].tolist(), first.tolist(), begins.tolist(), ends.tolist(), strict=True
    ):
        start = f"M{x} {y}c{right} {down}".replace(" -", "-")
        rest = "".join(texts[4 * begin + 4 : 4 * stop]).removeprefix(" ")
        parts += (start, *texts[4 * begin : 4 * begin + 4], "s", rest, "z")
    return "".join(parts)


def _points(outlines: Outlines) -> tuple[NDArray[np.int_], NDArray[np.intp]]:
    """Points (N, 2) at equal distances on closed outlines, and how many each outline has.

    In the units of the drawing. Outlines shorter than `SPECK` are left out.
    """
    closed, first, last = outlines.points, outlines.offsets[:-1], outlines.offsets[1:] - 1
    steps = np.hypot(*np.diff(closed, axis=0, prepend=closed[:1]).T)
    steps[first] = 1  # apart from the outline before, of which no place is asked for there
    along = steps.cumsum()
    lengths = along[last] - along[first]
    kept = lengths >= SPECK
    first, lengths = first[kept], lengths[kept]
    counts = np.maximum(MIN_POINTS, np.rint(lengths / SPACING).astype(np.intp))
    order = np.arange(counts.sum()) - np.repeat(counts.cumsum() - counts, counts)
    places = np.repeat(along[first], counts) + order * np.repeat(lengths / counts, counts)
    x, y = (np.interp(places, along, side) for side in closed.T)
    return np.rint(np.column_stack([x, y]) * STEPS).astype(int), counts
