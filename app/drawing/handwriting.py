"""The hand in pictures of a handwritten digit, each brought to the form of MNIST.

That form is grey, ink bright on dark, cropped to the ink, scaled into a box of 20 x 20 pixels, and
placed in 28 x 28 with its centre of mass in the middle (LeCun et al., "The MNIST database of
handwritten digits").
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.drawing.picture import open_pictures
from app.drawing.renderer import Renderer
from app.drawing.style import encode_style
from app.request.error import Reason, RequestError
from app.request.ranges import Size
from app.request.schemas import CELL

BOX = 20  # pixels, the side that the ink is scaled into
MIN_CONTRAST = 40  # grey levels between ink and paper
FAINT = 0.15  # of full ink: paler pixels are paper
NOISE_LIMIT = 5  # standard deviations of the paper that are not ink yet
FIT_PIXELS = 4096  # of the picture, to find the level of its paper
FIT_ROUNDS = 12

Ink = NDArray[np.float32]


class Hand(NamedTuple):
    """A handwriting that was found in pictures."""

    style: str  # token for the parameter `style`
    label: int | None  # what the pictures show; None: the model knows no labels


def find_hand(renderer: Renderer, contents: Sequence[bytes], label: int | None) -> Hand:
    """The hand of uploaded pictures: the mean of the noise that draws digits like them.

    Args:
        renderer: its model encodes the pictures.
        contents: picture files of the same digit, at least one, see `open_pictures`.
        label: what they show; None: the model recognises it in the first one.
    Raises:
        RequestError: the pictures cannot be used, see `open_pictures`, or one has no ink (INVALID).
    """
    generator, cell = renderer.generator, renderer.queries.generate.cell
    found = [_digit(picture) for picture in open_pictures(contents)]
    pictures = np.stack([fitted(digit, cell) for digit in found])
    if generator.config.conditional:
        label = generator.read(pictures[0]) if label is None else label
    labels = np.full(len(pictures), label or 0, dtype=np.intp)
    noise = generator.style(pictures, generator.one_hot(labels))
    return Hand(encode_style(noise.mean(axis=0), renderer.model_hash), label)


def read_digit(content: bytes) -> Ink:
    """The digit in a picture file: (28, 28) float32 in [0, 1], ink 1.

    Args:
        content: PNG, JPEG or WebP; ink on paper as in a photo, or bright on dark.
    Raises:
        RequestError: it is not such a picture (UNSUPPORTED_TYPE), has too many pixels (TOO_LARGE)
            or no ink (INVALID).
    """
    return _digit(*open_pictures([content]))


def _digit(picture: Image.Image) -> Ink:
    return normalise(ink_of(picture))


def ink_of(picture: Image.Image) -> Ink:
    """The ink at each pixel, (H, W) float32 in [0, 1], for any colours and uneven light.

    Args:
        picture: grey (mode L).
    Raises:
        RequestError: nothing stands out from the background (INVALID).
    """
    grey: NDArray[np.float32] = np.asarray(picture, dtype=np.float32)
    paper = _paper(grey)
    apart = grey - paper
    dark_ink = apart[np.abs(apart) > np.abs(apart).max() / 2].sum() < 0
    # Light multiplies what the paper reflects: relative to it, ink in the shade is as dark.
    level = 255 * (1 - grey / np.maximum(paper, 1)) if dark_ink else apart
    strong = level[level >= max(float(level.max()) / 2, MIN_CONTRAST / 2)]
    full = float(np.percentile(strong, 90)) if len(strong) else 0.0
    if full < MIN_CONTRAST:
        raise RequestError(
            Reason.INVALID, "The picture holds no ink: nothing stands out from its background."
        )
    noise = 1.5 * float(np.median(np.abs(level)))  # standard deviation, as most pixels are paper
    faint = min(max(FAINT, NOISE_LIMIT * noise / full), 0.5)
    ink: Ink = np.clip(level / full, 0, 1).astype(np.float32)
    ink[ink < faint] = 0
    return ink


def _paper(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """The level (H, W) of the bare paper under uneven light, as a quadratic in x and y.

    Fitted in rounds, each with less weight on the pixels that depart from the last fit: the ink.
    """
    height, width = grey.shape
    down, across = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    terms = np.stack([np.ones_like(down), down, across, down * across, down**2, across**2], axis=-1)
    step = max(1, round((grey.size / FIT_PIXELS) ** 0.5))
    some = terms[::step, ::step].reshape(-1, 6)
    levels = grey[::step, ::step].reshape(-1).astype(np.float64)
    weights = np.ones_like(levels)
    for _ in range(FIT_ROUNDS):
        weighted = some * weights[:, None]
        # A picture of few pixels has several best fits; lstsq returns the smallest.
        factors = np.linalg.lstsq(weighted.T @ some, weighted.T @ levels, rcond=1e-9)[0]
        error = np.abs(levels - some @ factors)
        weights = 1 / (1 + (error / max(1.0, 2 * float(np.median(error)))) ** 2) ** 2
    paper: NDArray[np.float32] = (terms @ factors).astype(np.float32)
    return paper


def normalise(ink: Ink) -> Ink:
    """Ink (H, W) in [0, 1] in the frame of MNIST: (28, 28) float32, see the module."""
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    cropped = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = cropped.shape
    scale = BOX / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    # Pillow's box filter loses a pixel whose centre lies on the border of two boxes. A source box
    # that is smaller by a thousandth of a pixel avoids that.
    box = 0, 0, width - 1e-3, height - 1e-3
    resampling = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    resized = Image.fromarray(cropped).resize(size, resampling, box if scale < 1 else None)
    small = np.clip(np.asarray(resized), 0, 1)
    small = small / float(small.max())  # thin lines become paler when they are reduced
    return _centred(small)


def fitted(digit: Ink, cell: Size) -> Ink:
    """A digit (28, 28) in [0, 1] as pictures of another size show it: (H, W) float32."""
    if cell == Size(CELL, CELL):
        return digit
    side = min(cell.height, cell.width)
    resized = Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC)
    picture = np.zeros((cell.height, cell.width), dtype=np.float32)
    top, left = (cell.height - side) // 2, (cell.width - side) // 2
    picture[top : top + side, left : left + side] = np.clip(np.asarray(resized), 0, 1)
    return picture


def _centred(small: Ink) -> Ink:
    height, width = small.shape
    mass = small.sum()
    middle = CELL / 2  # as in MNIST, half a pixel to the right of and below the true middle
    top = round(middle - float((small.sum(axis=1) @ np.arange(height)) / mass))
    left = round(middle - float((small.sum(axis=0) @ np.arange(width)) / mass))
    top, left = min(max(top, 0), CELL - height), min(max(left, 0), CELL - width)
    cell = np.zeros((CELL, CELL), dtype=np.float32)
    cell[top : top + height, left : left + width] = small
    return cell
