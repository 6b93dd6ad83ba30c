"""A sheet as an SVG of the outlines of its ink: small, and sharp at any size."""

from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from numpy.typing import NDArray

from app.drawing.ink import contours
from app.drawing.palette import Palette

STEPS = 20  # units of the drawing per pixel: integers are short as text
SPACING = 0.7  # pixels between two points of an outline
SPECK = 1.0  # pixels; shorter outlines are not drawn
MIN_POINTS = 6  # of an outline


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
        path = "".join(_curve(outline) for outline in outlines)
        paths.append(f'<path{attribute} d="{path}"/>')
    return "".join(paths)


def _curve(outline: NDArray[np.float64]) -> str:
    """A closed outline (n, 2) as cubic curves through points of equal distance (Catmull-Rom)."""
    closed = np.concatenate([outline, outline[:1]])
    along = np.concatenate([[0], np.hypot(*np.diff(closed, axis=0).T).cumsum()])
    if along[-1] < SPECK:
        return ""
    count = max(MIN_POINTS, round(along[-1] / SPACING))
    places = np.linspace(0, along[-1], count + 1)
    x, y = (np.interp(places, along, side) for side in closed.T)
    points = np.rint(np.column_stack([x, y])[:-1] * STEPS).astype(int)
    before, after = np.roll(points, 1, axis=0), np.roll(points, -1, axis=0)
    ends = np.roll(points, -1, axis=0)
    steer = ends - np.rint((np.roll(after, -1, axis=0) - points) / 6).astype(int)
    # Of each curve: its second control point and its end, relative to its beginning. The first
    # control point mirrors the one before, which the command s leaves out.
    steps = np.stack([steer - points, ends - points], axis=1)
    first = np.rint((after[0] - before[0]) / 6).astype(int)
    numbers = " ".join(map(str, steps[1:].ravel().tolist())).replace(" -", "-")
    start = " ".join(map(str, [*first.tolist(), *steps[0].ravel().tolist()])).replace(" -", "-")
    return f"M{points[0, 0]} {points[0, 1]}c{start}s{numbers}z"
