"""A digit in the form of MNIST.

It is grey, with bright ink, cropped to the ink and scaled into a box of 20 x 20 pixels, in 28 x 28
with its centre of mass in the middle.

Source: LeCun et al., "The MNIST database of handwritten digits".
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.reading.frame import Frame
from model.reading.groups import grown

CELL = 28  # pixels, side of one digit
BOX = 20  # pixels, the side that the ink is scaled into
NEAR, FAR = 1 / 24, 1 / 4  # sides: radius in which a pixel's paper is looked for, and if none is
FAR_WEIGHT = 0.01
BARE = 0.2  # of ink: less is paper
LEAST_PAPER = 0.03  # of a picture, to know its level
LEAST_LEVEL = 0.02  # of paper, under which ratios are meaningless
FAINT = 0.04  # of full ink: paler pixels are paper
NOISE_LIMIT = 3  # standard deviations of the paper that are not ink yet
HOLLOW = 0.1  # of the band around what was marked: if so much has the ink's colour, it goes on
ALIKE = 0.25  # of the way from the ink's colour to the paper's: what is nearer is ink
MOST_ROUNDS = 32  # pixels, how far ink goes on
BLEND = 5  # how soon noise makes the finder's ink count instead of the levels

Ink = NDArray[np.float32]


def cut_out(picture: Image.Image, frame: Frame, ink: Ink) -> Ink:
    """One digit in the form of MNIST, (28, 28) float32 in [0, 1].

    Args:
        picture: mode RGB.
        frame: the part of it that holds the digit.
        ink: (SIDE, SIDE) in [0, 1], where the finder sees the digit's ink; somewhere above 0.5.
    """
    ink = frame.inside(ink)
    if frame.scale < 1:  # the pixels themselves are fewer, and exact
        pixels = np.asarray(picture.crop(frame.box))
        large = Image.fromarray(ink)
        ink = np.clip(np.asarray(large.resize(pixels.shape[1::-1], Image.Resampling.BOX)), 0, 1)
    else:
        pixels = frame.pixels[slice(*frame.rows), slice(*frame.columns)]
    found = ink_levels(pixels.astype(np.float32) * np.float32(1 / 255), ink)
    return normalise(found if found.any() else ink)


def ink_levels(pixels: Ink, ink: Ink) -> Ink:
    """How dark the ink is at each pixel, (h, w) in [0, 1]: its contrast with the paper around it.

    Args:
        pixels: (h, w, 3) in [0, 1].
        ink: (h, w) in [0, 1], roughly where the ink is.
    """
    ink = completed(pixels, ink)
    around = grown(ink)
    bare = grown(around) < BARE
    if bare.mean() < LEAST_PAPER:  # cropped tight to a broad pen
        bare = ink <= np.quantile(ink, LEAST_PAPER)
    contrast = _contrast(pixels, _paper(pixels, bare), ink)
    strong = contrast[ink >= ink.max() / 2]
    full = float(np.percentile(strong, 90))
    if full <= 0:
        return np.zeros_like(ink)
    level = np.clip(contrast / full, 0, 1)
    noise = 1.5 * float(np.median(np.abs(contrast[bare]))) / full
    level[level < min(max(FAINT, NOISE_LIMIT * noise), 0.4)] = 0
    share = min(1.0, BLEND * noise)
    mixed: Ink = (level * (1 - share) + ink * share) * np.clip(2 * around, 0, 1)
    mixed[mixed < FAINT] = 0
    return mixed


def completed(pixels: Ink, ink: Ink) -> Ink:
    """The ink (h, w) with the rest of a broad stroke or a spot, of which it is only the edge.

    Args:
        pixels: (h, w, 3) in [0, 1].
        ink: (h, w) in [0, 1], where the ink is, or its edge.
    """
    mask = (ink >= ink.max() / 2).astype(np.float32)
    near = grown(grown(mask))
    band = grown(grown(near)) - near > 0
    if not band.any():
        return ink
    colour, paper = np.median(pixels[mask > 0], axis=0), np.median(pixels[near == 0], axis=0)
    alike = np.abs(pixels - colour).max(axis=2) < ALIKE * np.abs(paper - colour).max()
    if alike[band].mean() < HOLLOW:
        return ink
    for _ in range(MOST_ROUNDS):
        more = np.maximum(mask, grown(mask) * alike)
        if (more == mask).all():
            break
        mask = more
    whole: Ink = np.maximum(ink, mask)
    return whole


def _contrast(pixels: Ink, paper: Ink, ink: Ink) -> Ink:
    """The difference (h, w) to the paper along the colour of the ink; 1 is that of its mean."""
    apart = paper - pixels
    if (apart * ink[..., None]).sum() > 0:
        # Light multiplies what the paper reflects: relative to it, ink in the shade is as dark.
        apart = apart / np.maximum(paper, LEAST_LEVEL)
    weights = ink * ink
    colour = (apart * weights[..., None]).sum((0, 1)) / weights.sum()
    contrast: Ink = apart @ colour / max(float(colour @ colour), 1e-9)
    return contrast


def _paper(pixels: Ink, bare: NDArray[np.bool_]) -> Ink:
    """The colour (h, w, 3) of the paper at each pixel, from the bare pixels near it."""
    weight = bare.astype(np.float32)
    planes = [*(pixels * weight[..., None]).transpose(2, 0, 1), weight]
    sums = np.zeros((4, *weight.shape), dtype=np.float32)
    for radius, share in ((NEAR, 1.0), (FAR, FAR_WEIGHT)):
        down, across = (_blur(side, radius * max(weight.shape)) for side in weight.shape)
        sums += np.float32(share) * np.stack([down @ plane @ across.T for plane in planes])
    paper: Ink = (sums[:3] / np.maximum(sums[3], 1e-9)).transpose(1, 2, 0)
    return paper


def _blur(side: int, radius: float) -> Ink:
    """A Gaussian blur of a column of `side` pixels as a matrix (side, side)."""
    place = np.arange(side, dtype=np.float32)
    weights = np.exp(-(((place[:, None] - place) / max(radius, 0.5)) ** 2) / 2)
    matrix: Ink = weights / weights.sum(axis=1, keepdims=True)
    return matrix


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
