"""A picture of one handwritten digit, brought to the form that MNIST has.

Grey, ink bright on dark, cropped to the ink, scaled into a box of 20 x 20 pixels, and laid into
28 x 28 with its centre of mass in the middle (LeCun et al., "The MNIST database of handwritten
digits").
"""

import io
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

from app.errors import Refused
from app.schemas import CELL

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_PIXELS = 2**24  # of the picture before it is made small; 48 MB in colour
BOX = 20  # pixels, the side that the ink is scaled into
WORKING_SIDE = 256  # pixels: more detail than this is lost in a box of 20 anyway
MIN_CONTRAST = 40  # grey levels between ink and paper
FAINT = 0.15  # of full ink: what is paler is paper
SPECK_SIDE = 64  # pixels: in larger pictures, single pixels are dust and not ink

Ink = NDArray[np.float32]


def read_digit(content: bytes) -> Ink:
    """The digit in a picture file: (28, 28) float32 in [0, 1], ink 1.

    Args:
        content: PNG, JPEG or WebP; ink on paper as in a photo, or bright on dark.
    Raises:
        Refused: it is no such picture (415), too large (413), or without ink (422).
    """
    return normalise(ink_of(_open(content)))


def ink_of(picture: Image.Image) -> Ink:
    """How much ink each pixel holds, (H, W) float32 in [0, 1], whatever the colours and the light.

    Raises:
        Refused: nothing stands out from the background (422).
    """
    grey = np.asarray(picture, dtype=np.float32)
    # The paper of a photo is unevenly lit: measure from a strongly blurred copy of its edge level.
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    if np.median(edge) > (grey.min() + grey.max()) / 2:
        grey = 255 - grey
    blur = ImageFilter.GaussianBlur(max(picture.size) / 3)
    floor = np.asarray(Image.fromarray(grey.astype(np.uint8)).filter(blur), dtype=np.float32)
    level = grey - np.minimum(floor, np.median(floor))
    paper, full = np.percentile(level, 25), np.percentile(level, 99.5)
    if full - paper < MIN_CONTRAST:
        raise Refused(422, "The picture holds no ink: nothing stands out from its background.")
    ink: Ink = np.clip((level - paper) / (full - paper), 0, 1).astype(np.float32)
    ink[ink < FAINT] = 0
    return ink


def normalise(ink: Ink) -> Ink:
    """Ink (H, W) in [0, 1] in MNIST's frame: (28, 28), box of 20, centre of mass in the middle."""
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    cropped = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = cropped.shape
    scale = BOX / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    resized = Image.fromarray(cropped).resize(
        size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    )
    small = np.clip(np.asarray(resized), 0, 1)
    small = small / max(float(small.max()), FAINT)  # thin lines pale when they are made small
    return _centred(small)


def _centred(small: Ink) -> Ink:
    height, width = small.shape
    mass = small.sum()
    middle = CELL / 2  # where MNIST has it, half a pixel right and below of the true middle
    top = round(middle - float((small.sum(axis=1) @ np.arange(height)) / mass))
    left = round(middle - float((small.sum(axis=0) @ np.arange(width)) / mass))
    top, left = min(max(top, 0), CELL - height), min(max(left, 0), CELL - width)
    cell = np.zeros((CELL, CELL), dtype=np.float32)
    cell[top : top + height, left : left + width] = small
    return cell


def _open(content: bytes) -> Image.Image:
    """The picture, upright, grey, and no larger than needed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's opinion on large pictures; ours is below
            picture = Image.open(io.BytesIO(content), formats=FORMATS)
            if picture.width * picture.height > MAX_PIXELS:
                raise Refused(
                    413,
                    f"The picture has {picture.width} x {picture.height} pixels, at most "
                    f"{MAX_PIXELS} are read; make it smaller.",
                )
            picture.draft("RGB", (4 * WORKING_SIDE, 4 * WORKING_SIDE))  # JPEG reads itself smaller
            picture.load()
            return _small_grey(ImageOps.exif_transpose(picture))
    except Refused:
        raise
    except Exception as error:  # Pillow raises many kinds on broken files
        raise Refused(
            415, "The upload is no whole picture; send one PNG, JPEG or WebP of a single digit."
        ) from error


def _small_grey(picture: Image.Image) -> Image.Image:
    if picture.has_transparency_data:
        picture = _on_paper(picture.convert("RGBA"))
    grey = picture.convert("L")
    if max(grey.size) > WORKING_SIDE:
        grey.thumbnail((WORKING_SIDE, WORKING_SIDE), Image.Resampling.BOX)
    return grey.filter(ImageFilter.MedianFilter(3)) if max(grey.size) > SPECK_SIDE else grey


def _on_paper(picture: Image.Image) -> Image.Image:
    """A picture with clear parts laid on the paper from which its ink stands out."""
    pixels = np.asarray(picture.convert("RGBa"), dtype=np.float32)
    weight = pixels[..., 3].sum()
    bright = bool(weight) and pixels[..., :3].mean(axis=2).sum() / weight > 0.5
    paper = Image.new("RGBA", picture.size, "black" if bright else "white")
    return Image.alpha_composite(paper, picture)
