"""Composed pictures as frames, with what the finder is to mark in each."""

import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.reading.frame import SIDE, Box, Frame, framed
from training.photos.mixture import SHARES, Example, mixed
from training.photos.pen import Levels, chance
from training.photos.scene import Plane, jpeg

Rng = np.random.Generator
ANYTHING = 255  # of a target: the finder may mark it or not
INK = 254  # of a target: covered by ink
SIDES = 96, 160  # pixels of a composed picture
CLOSER = 1.7  # times as many pixels, if the picture is then cut to its ink
STRONG, FAINT = 0.3, 0.05  # covers: ink that a picture is cut to; ink of a mark at all
FULL = 0.7  # quantile of covers that counts as full ink
DIGITS = 5  # of a picture, at most
COARSE = 7, 32  # pixels, the longer side of the ink in a coarse picture: fewer cannot be read
SHADES = 16  # steps of ink in some coarse pictures
FILTERS = (
    Image.Resampling.NEAREST,
    Image.Resampling.BILINEAR,
    Image.Resampling.BICUBIC,
    Image.Resampling.LANCZOS,
)


class Composed(NamedTuple):
    """A composed picture as the service gets it.

    Attributes:
        picture: mode RGB.
        digits: (H, W) float32 in [0, 1] for each whole digit: where it covers the paper.
        mark: likewise, of what is written and is not a digit.
        cut: likewise, of digits of which the border cuts a part.
        back: likewise, of writing on the back of the sheet.
        labels: of the whole digits.
    """

    picture: Image.Image
    digits: list[Plane]
    mark: Plane
    cut: Plane
    back: Plane
    labels: list[int]


def compose(
    images: Levels, labels: NDArray[np.integer], rng: Rng, shares: Sequence[float] = SHARES
) -> Composed:
    """A picture of any kind, of digits that are chosen from images (N, 28, 28)."""
    chosen = rng.integers(len(images), size=DIGITS)
    near, side = chance(rng, 0.45), int(rng.integers(*SIDES))
    if near:
        side = round(side * rng.uniform(1, CLOSER))
    example = mixed(list(images[chosen]), side, rng, shares)
    if near:
        example = _near(example, rng)
    picture = Image.fromarray((example.shot * 255 + 0.5).astype(np.uint8))
    covers = *example.digits, example.mark, example.cut, example.back
    if chance(rng, 0.3):
        picture, covers = _coarse(picture, covers, min(map(_reach, example.inks)), rng)
    if chance(rng, 0.4):
        shot = np.asarray(picture, dtype=np.float32) / np.float32(255)
        file = io.BytesIO(jpeg(shot, int(rng.integers(40, 96))))
        picture = Image.open(file).convert("RGB")
    *digits, mark, cut, back = covers
    return Composed(
        picture, digits, mark, cut, back, [int(k) for k in labels[chosen[: len(digits)]]]
    )


def _near(example: Example, rng: Rng) -> Example:
    """The same cut to its ink with a small margin, or with none."""
    ink = np.max(example.inks, axis=0) > STRONG
    if not ink.any():
        return example
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    reach = max(np.ptp(rows), np.ptp(columns)) + 1
    margins = rng.uniform(0, 0.4, 4) * reach * (rng.uniform(0, 1, 4) < rng.uniform())
    above, below, left, right = margins.round().astype(int)
    down = slice(max(rows[0] - above, 0), rows[-1] + 1 + below)
    across = slice(max(columns[0] - left, 0), columns[-1] + 1 + right)
    return Example(
        example.shot[down, across],
        [digit[down, across] for digit in example.digits],
        example.mark[down, across],
        example.cut[down, across],
        example.back[down, across],
    )


def _coarse(
    picture: Image.Image, covers: Sequence[Plane], reach: int, rng: Rng
) -> tuple[Image.Image, tuple[Plane, ...]]:
    """The picture and its covers in few pixels, which often are enlarged again.

    Args:
        picture: mode RGB.
        covers: (H, W) each.
        reach: of the smallest digit, in pixels.
        rng: chooses everything.
    """
    scale = min(1, COARSE[0] / reach * (COARSE[1] / COARSE[0]) ** rng.uniform())
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    picture = picture.resize(size, Image.Resampling.BOX)
    if chance(rng, 0.3):
        picture = picture.point(
            [round(round(v / 255 * SHADES) / SHADES * 255) for v in range(256)] * 3
        )
    planes = [Image.fromarray(cover).resize(size, Image.Resampling.BOX) for cover in covers]
    if chance(rng, 0.7):
        large = max(size) * rng.uniform(1.5, 12)
        sides = (
            max(1, round(size[0] * large / max(size))),
            max(1, round(size[1] * large / max(size))),
        )
        how = FILTERS[int(rng.integers(len(FILTERS)))]
        picture = picture.resize(sides, how)
        planes = [plane.resize(sides, how) for plane in planes]
    return picture, tuple(np.clip(np.asarray(plane), 0, 1) for plane in planes)


def _reach(ink: Plane) -> int:
    """The longer side of the ink (H, W); that of the picture without any."""
    sides = [np.flatnonzero(ink.any(axis)) for axis in (0, 1)]
    return max(int(np.ptp(side)) + 1 for side in sides) if len(sides[0]) else max(ink.shape)


def target(frame: Frame, made: Composed) -> NDArray[np.uint8]:
    """What the finder is to mark in a frame of a picture: (SIDE, SIDE) uint8.

    A line that is thinner than a pixel counts as ink where it is as strong as most of its digit.
    See `INK` and `ANYTHING`.
    """
    wanted = np.zeros((SIDE, SIDE), dtype=np.uint8)
    area = slice(*frame.rows), slice(*frame.columns)
    shape = wanted[area].shape
    for digit in made.digits:
        part = _part(digit, frame.box, shape)
        if (part > FAINT).any():
            part = np.clip(part / np.quantile(part[part > FAINT], FULL), 0, 1)
        wanted[area] = np.maximum(wanted[area], INK * part)
    # Beside a whole digit, one that the border cuts is to be left out; alone, it may be a digit.
    either = made.mark if made.digits else np.maximum(made.mark, made.cut)
    free = _part(either, frame.box, shape) > FAINT
    wanted[area][free] = ANYTHING
    return wanted


def _part(plane: Plane, box: Box, shape: tuple[int, ...]) -> Plane:
    scale = max(shape) / max(box[2] - box[0], box[3] - box[1])
    how = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
    small = Image.fromarray(plane).resize((shape[1], shape[0]), how, box)
    part: Plane = np.clip(np.asarray(small), 0, 1)
    return part


class Examples(NamedTuple):
    """Frames and targets to train the finder on.

    Attributes:
        pixels: (N, SIDE, SIDE, 3) uint8.
        places: (N, 4) int16: first and last row, first and last column of the picture.
        targets: (N, SIDE, SIDE) uint8.
    """

    pixels: NDArray[np.uint8]
    places: NDArray[np.int16]
    targets: NDArray[np.uint8]

    def frames(self, indices: NDArray[np.intp]) -> list[Frame]:
        """The frames at `indices`."""
        return [
            Frame(self.pixels[i], (top, bottom), (left, right), (0, 0, 1, 1))
            for i, (top, bottom, left, right) in zip(
                indices, self.places[indices].tolist(), strict=True
            )
        ]


def make_examples(
    images: Levels, labels: NDArray[np.integer], count: int, seed: Sequence[int]
) -> Examples:
    """`count` examples, of digits from images (N, 28, 28); the same for the same seed."""
    made = Examples(
        np.zeros((count, SIDE, SIDE, 3), np.uint8),
        np.zeros((count, 4), np.int16),
        np.zeros((count, SIDE, SIDE), np.uint8),
    )
    for index in range(count):
        rng = np.random.default_rng((*seed, index))
        composed = compose(images, labels, rng)
        frame = framed(composed.picture)
        made.pixels[index] = frame.pixels
        made.places[index] = *frame.rows, *frame.columns
        made.targets[index] = target(frame, composed)
    return made
