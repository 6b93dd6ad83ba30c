"""A sheet as an SVG of smooth outlines: small, and sharp at any size."""

from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from numpy.typing import NDArray

from app.drawing.palette import Palette

STEPS = 10  # units of the drawing per pixel: integers are short as text
HALF_INK = 127.5  # the grey level of the outline
MIN_POINTS = 4  # outlines with fewer points are specks and are not drawn
TOLERANCE = 0.08  # pixels that an outline may move when points are removed


def encode_svg(
    sheet: NDArray[np.uint8], digits: str, facts: Mapping[str, str], palette: Palette, scale: int
) -> bytes:
    """The half-ink outlines of a sheet as one path.

    Args:
        sheet: (H, W) uint8 grey levels, not enlarged.
        digits: the digits that it shows, for readers who cannot see it.
        facts: how to reproduce the picture, as text in <desc>.
        palette: ink and paper.
        scale: width and height of the SVG, in multiples of the sheet's.
    """
    height, width = (side * STEPS for side in sheet.shape)
    background = f'<path fill="#{palette.paper}" d="M0 0h{width}v{height}H0z"/>'
    text = "; ".join(f"{word}={value}" for word, value in facts.items())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{sheet.shape[1] * scale}" height="{sheet.shape[0] * scale}" role="img" '
        f"aria-label={quoteattr(digits)}><title>{escape(digits)}</title><desc>{escape(text)}</desc>"
        f"{'' if palette.transparent else background}"
        f'<path fill="#{palette.ink}" fill-rule="evenodd" d="{_path(sheet)}"/></svg>'
    ).encode()


def _path(sheet: NDArray[np.uint8]) -> str:
    # Imported on first use: most requests are for PNG.
    import contourpy

    padded = np.pad(sheet, 1)  # closes the outline of ink at the edge
    # The centres of pixels lie half a pixel inside the picture; the padding shifts them by one.
    lines = contourpy.contour_generator(z=padded).lines(HALF_INK)
    outlines = [np.asarray(line)[:-1] - 0.5 for line in lines]
    return "".join(
        _smooth(_simplified(_averaged(line))) for line in outlines if len(line) >= MIN_POINTS
    )


def _averaged(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The closed outline (n, 2) averaged over neighbours, which removes the pixel grid's steps."""
    averaged: NDArray[np.float64] = points / 2
    averaged += (np.roll(points, 1, axis=0) + np.roll(points, -1, axis=0)) / 4
    return averaged


def _simplified(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The closed outline without those of its odd points that lie between their neighbours."""
    middles = (np.roll(points, 1, axis=0) + np.roll(points, -1, axis=0)) / 2
    spare = np.hypot(*(points - middles).T) < TOLERANCE
    spare[::2] = False
    kept = points[~spare]
    return kept if len(kept) >= MIN_POINTS else points


def _smooth(points: NDArray[np.float64]) -> str:
    """The path of a closed quadratic B-spline with the points (n, 2) as its control points."""
    middles = (points + np.roll(points, -1, axis=0)) / 2
    curve = np.rint(np.stack([points, middles], axis=1) * STEPS).astype(int)  # (n, 2, 2)
    begins = np.roll(curve[:, 1], 1, axis=0)  # of each piece: the middle before it
    steps = (curve - begins[:, None]).ravel().tolist()  # relative to that, for the command q
    numbers = " ".join(map(str, steps)).replace(" -", "-")
    return f"M{begins[0, 0]} {begins[0, 1]}q{numbers}z"
