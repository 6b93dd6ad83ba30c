"""The rules by which a picture of any size and colour becomes a grey square with ink on paper 0.

1. The first frame, turned as its EXIF data says.
2. Transparent pixels become white paper; black paper if the picture were blank otherwise.
3. Grey: 16 bits to 8, colours by their luma (ITU-R 601-2).
4. Polarity: ink becomes light. Which is ink is one decision for the whole data set.
5. Contrast, only if asked for: paper becomes 0 and the strongest ink 255, picture by picture.
6. Fit: the whole picture, padded to a square with its own paper; or the box of its ink, with the
   longer side 20/28 of the square and the centre of mass in the middle, as in MNIST.
7. Size: bicubic, over all pixels that a new pixel covers.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from training.config import Contrast, Fit, Polarity

Levels = NDArray[np.uint8]  # (H, W) grey levels

# What Pillow raises for a damaged picture, and for one that would not fit into memory.
UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)
WHITE = 255
MIDDLE = 127.5  # paper above it is light
FAINT = 24  # grey levels: a picture whose levels span less has no ink
INK_SHARE = 20 / 28  # of the side of the square, for the longer side of the ink
INK_FROM = 0.25  # of the way from paper to the strongest ink
DEEP = 257  # 16-bit levels for one 8-bit level


@dataclass(frozen=True)
class Rules:
    """What a user decides about the rules."""

    size: int = 28  # side of the square, pixels
    polarity: Polarity = "auto"
    fit: Fit = "whole"
    contrast: Contrast = "keep"


@dataclass(frozen=True)
class Grey:
    """A picture after rules 1 to 3, and what was left out on the way."""

    levels: Levels  # at its own size
    frames: int = 1
    deep: bool = False  # it had more than 8 bits
    coloured: bool = False
    transparent: bool = False

    @property
    def paper(self) -> float:
        """The grey level of the paper: the median of the outermost pixels."""
        levels = self.levels
        edges = (levels[0], levels[-1], levels[:, 0], levels[:, -1])
        return float(np.median(np.concatenate(edges)))

    @property
    def blank(self) -> bool:
        """Whether the picture has no ink."""
        return int(self.levels.max()) - int(self.levels.min()) < FAINT


def grey(image: Image.Image) -> Grey:
    """A picture by rules 1 to 3.

    Raises:
        OSError, ValueError, SyntaxError: the picture is damaged.
    """
    frames = getattr(image, "n_frames", 1)
    image.seek(0)
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I") or image.mode == "F":
        levels = np.asarray(image)
        return Grey(narrow(levels, scale_of(levels)), frames, deep=True)
    transparent = "A" in image.getbands() or "transparency" in image.info
    flat = image.convert("L") if not transparent else None
    levels = _flattened(image.convert("RGBA")) if flat is None else np.asarray(flat)
    coloured = image.mode not in ("1", "L", "LA")
    return Grey(levels, frames, coloured=coloured, transparent=transparent)


def square(picture: Grey, rules: Rules, dark_ink: bool) -> Levels:
    """A picture by rules 4 to 7: (size, size) uint8, ink 255 on paper 0."""
    levels = WHITE - picture.levels if dark_ink else picture.levels
    paper = WHITE - picture.paper if dark_ink else picture.paper
    if rules.contrast == "stretch":
        levels, paper = _stretched(levels, paper), 0.0
    levels = _framed_ink(levels, paper, rules) if rules.fit == "ink" else _padded(levels, paper)
    return _resized(levels, rules.size, rules.size)


def scale_of(values: NDArray[np.generic]) -> float:
    """What brings levels of 16 bits, or of floating point in [0, 1], to 8 bits."""
    floats = values.dtype.kind == "f"
    highest = float(np.max(values, initial=0, where=np.isfinite(values) if floats else True))
    if highest > WHITE:
        return 1 / DEEP
    return WHITE if floats and highest <= 1 else 1.0


def narrow(deep: NDArray[np.generic], scale: float) -> Levels:
    """Levels of any type times `scale` as 8 bits; those that are not numbers become 0."""
    values = np.nan_to_num(deep.astype(np.float64), posinf=0, neginf=0)
    return np.clip(np.round(values * scale), 0, WHITE).astype(np.uint8)


def _flattened(image: Image.Image) -> Levels:
    for paper in ("white", "black"):
        under = Image.new("RGBA", image.size, paper)
        levels = np.asarray(Image.alpha_composite(under, image).convert("L"))
        if not Grey(levels).blank:
            break
    return levels


def _stretched(levels: Levels, paper: float) -> Levels:
    strongest = float(np.percentile(levels, 99.5))
    if strongest - paper < FAINT:
        strongest = max(float(levels.max()), paper + FAINT)
    share = np.clip((levels - paper) / (strongest - paper), 0, 1)
    stretched: Levels = (share * WHITE + 0.5).astype(np.uint8)
    return stretched


def _padded(levels: Levels, paper: float) -> Levels:
    """In the middle of a square of paper."""
    height, width = levels.shape
    side = max(height, width)
    whole: Levels = np.full((side, side), round(paper), np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    whole[top : top + height, left : left + width] = levels
    return whole


def _framed_ink(levels: Levels, paper: float, rules: Rules) -> Levels:
    """The box of the ink in a square of paper, by MNIST's rule; the whole if there is no ink."""
    ink = levels > paper + INK_FROM * (float(levels.max()) - paper)
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    if float(levels.max()) - paper < FAINT:
        return _padded(levels, paper)
    box = levels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = INK_SHARE * rules.size / max(box.shape)
    height, width = (max(1, round(side * scale)) for side in box.shape)
    box = _resized(box, height, width)
    weight = np.clip(box - paper, 0, None) + 1e-6
    down = (weight.sum(axis=1) @ np.arange(height)) / weight.sum()
    right = (weight.sum(axis=0) @ np.arange(width)) / weight.sum()
    whole: Levels = np.full((rules.size, rules.size), round(paper), np.uint8)
    middle = (rules.size - 1) / 2
    top = int(np.clip(round(middle - down), 0, rules.size - height))
    left = int(np.clip(round(middle - right), 0, rules.size - width))
    whole[top : top + height, left : left + width] = box
    return whole


def _resized(levels: Levels, height: int, width: int) -> Levels:
    if levels.shape == (height, width):
        return levels
    image = Image.fromarray(np.ascontiguousarray(levels))
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))
