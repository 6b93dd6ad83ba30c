"""Composed pictures as frames, with what the finder is to mark in each; kept in a file."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.atomic import replace_file
from model.reading.frame import SIDE, Box, Frame, framed
from training.photos.mixture import SHARES, Example, mixed
from training.photos.pen import Levels, chance
from training.photos.scene import jpeg

Rng = np.random.Generator
ANYTHING = 255  # of a target: the finder may mark it or not
INK = 254  # of a target: covered by ink
SIDES = 96, 160  # pixels of a composed picture
STRONG, FAINT = 0.3, 0.05  # covers: ink that a picture is cut to; ink of a mark at all
DIGITS = 5  # of a picture, at most


class Composed(NamedTuple):
    """A composed picture as the service gets it.

    Attributes:
        picture: mode RGB.
        digits: (H, W) float32 in [0, 1] for each whole digit: where it covers the paper.
        mark: likewise, of what is written and is no whole digit.
        labels: of the digits.
    """

    picture: Image.Image
    digits: list[NDArray[np.float32]]
    mark: NDArray[np.float32]
    labels: list[int]


def compose(
    images: Levels, labels: NDArray[np.integer], rng: Rng, shares: Sequence[float] = SHARES
) -> Composed:
    """A picture of any kind, of digits that are chosen from images (N, 28, 28)."""
    chosen = rng.integers(len(images), size=DIGITS)
    example = mixed(list(images[chosen]), int(rng.integers(*SIDES)), rng, shares)
    if chance(rng, 0.3):
        example = _near(example, rng)
    picture = _file(example, rng)
    known = [int(label) for label in labels[chosen[: len(example.digits)]]]
    return Composed(picture, example.digits, example.mark, known)


def _near(example: Example, rng: Rng) -> Example:
    """The same cut to its ink with a small margin, or with none."""
    ink = np.maximum(example.cover, example.mark) > STRONG
    if not ink.any():
        return example
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    reach = max(np.ptp(rows), np.ptp(columns)) + 1
    margins = rng.uniform(0, 0.4, 4) * reach if chance(rng, 0.6) else np.zeros(4)
    above, below, left, right = margins.round().astype(int)
    down = slice(max(rows[0] - above, 0), rows[-1] + 1 + below)
    across = slice(max(columns[0] - left, 0), columns[-1] + 1 + right)
    return Example(
        example.shot[down, across],
        [digit[down, across] for digit in example.digits],
        example.mark[down, across],
    )


def _file(example: Example, rng: Rng) -> Image.Image:
    """The shot as it comes out of a file: exact, as JPEG, or with very few pixels."""
    exact = Image.fromarray((example.shot * 255 + 0.5).astype(np.uint8))
    if chance(rng, 0.4):
        return Image.open(io.BytesIO(jpeg(example.shot, int(rng.integers(50, 96))))).convert("RGB")
    if chance(rng, 0.4):
        side = round(8 * 4 ** rng.uniform())
        few = exact.copy()
        few.thumbnail((side, side), Image.Resampling.BOX)
        return few.resize(exact.size, Image.Resampling.NEAREST) if chance(rng, 0.3) else few
    return exact


def target(frame: Frame, made: Composed, size: tuple[int, int]) -> NDArray[np.uint8]:
    """What the finder is to mark in a frame: (SIDE, SIDE) uint8, see `INK` and `ANYTHING`.

    Args:
        frame: part of the picture.
        made: the picture.
        size: of its covers over that of the picture, if that was reduced.
    """
    wanted = np.zeros((SIDE, SIDE), dtype=np.uint8)
    left, top, right, bottom = frame.box
    box = left * size[0], top * size[1], right * size[0], bottom * size[1]
    area = slice(*frame.rows), slice(*frame.columns)
    for digit in made.digits:
        wanted[area] = np.maximum(wanted[area], INK * _part(digit, box, wanted[area].shape))
    free = _part(made.mark, box, wanted[area].shape) > FAINT
    wanted[area][free] = ANYTHING
    return wanted


def _part(plane: NDArray[np.float32], box: Box, shape: tuple[int, ...]) -> NDArray[np.float32]:
    small = Image.fromarray(plane).resize((shape[1], shape[0]), Image.Resampling.BOX, box)
    part: NDArray[np.float32] = np.clip(np.asarray(small), 0, 1)
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
        height, width = composed.mark.shape
        size = width / composed.picture.width, height / composed.picture.height
        made.pixels[index] = frame.pixels
        made.places[index] = *frame.rows, *frame.columns
        made.targets[index] = target(frame, composed, size)
    return made


def cached_examples(
    path: Path, images: Levels, labels: NDArray[np.integer], count: int, seed: Sequence[int]
) -> Examples:
    """The examples in the file, or new ones, which are then saved there."""
    if not path.exists():
        made = make_examples(images, labels, count, seed)
        file = io.BytesIO()
        np.savez(file, **made._asdict())
        replace_file(path, file.getvalue())
    with np.load(path) as arrays:
        return Examples(arrays["pixels"], arrays["places"], arrays["targets"])
