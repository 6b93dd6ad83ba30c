"""What the finder cuts out of composed pictures, to train the classifier on."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.reading.frame import Box
from model.reading.reader import LABELS, Network, Reader
from training.photos.examples import FAINT, Composed, compose
from training.photos.pen import Cover, Levels

NO_DIGIT = LABELS  # as a label
SHARES = 0.4, 0.5, 0.1  # of pictures with a mark or nothing, one digit, a row
WHOLE, PART = 0.85, 0.5  # of a digit's ink in a cut-out: it is that digit; it may be half of two
ALONE = 0.2  # of a digit's ink: less is none
FULL = 0.4  # of a digit's strongest ink: less is its soft edge


class Cutouts(NamedTuple):
    """Digits and marks in the form of MNIST.

    Attributes:
        digits: (N, 28, 28) uint8 grey levels.
        labels: (N,) uint8, 0 to 9, or `NO_DIGIT`.
    """

    digits: Levels
    labels: NDArray[np.uint8]


def make_cutouts(
    images: Levels,
    labels: NDArray[np.integer],
    count: int,
    seed: Sequence[int],
    find: Network,
) -> Cutouts:
    """The cut-outs of `count` pictures, of digits from images (N, 28, 28)."""
    reader = Reader(find, lambda digits: digits)
    digits, names = [], []
    for index in range(count):
        made = compose(images, labels, np.random.default_rng((*seed, index)), SHARES)
        for box, digit in reader.cut_outs(made.picture, reader.places(made.picture)):
            name = _name(made, box)
            if name is not None:
                digits.append((digit * 255 + 0.5).astype(np.uint8))
                names.append(name)
    return Cutouts(np.stack(digits), np.array(names, dtype=np.uint8))


def _name(made: Composed, box: Box) -> int | None:
    """The label of what lies in a box; `NO_DIGIT` if it is none, None if that is ambiguous.

    Args:
        made: a picture.
        box: in its pixels.
    """
    area = (
        slice(max(0, int(box[1])), int(np.ceil(box[3]))),
        slice(max(0, int(box[0])), int(np.ceil(box[2]))),
    )
    if _share(made.cut, area) >= ALONE or _share(made.back, area) >= ALONE:
        return None
    shares = [_share(digit, area) for digit in made.digits]
    inside = [index for index, share in enumerate(shares) if share >= ALONE]
    if not inside or len([share for share in shares if share >= PART]) > 1:
        return NO_DIGIT
    if len(inside) == 1 and shares[inside[0]] >= WHOLE:
        return made.labels[inside[0]]
    return None  # part of a digit, which may look like another


def _share(cover: Cover, area: tuple[slice, slice]) -> float:
    """How much of the ink of a cover lies in an area, in [0, 1]."""
    strong = cover >= max(FULL * float(cover.max()), FAINT)
    return float(strong[area].sum() / max(strong.sum(), 1))
