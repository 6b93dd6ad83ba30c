"""What is seen in a picture: digits with their labels, or a refusal that says what was there."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.request.error import PICTURE, FieldError, InvalidRequest, PictureFault
from model.reading.reader import LABELS, Reader, Seen

NO_DIGIT = 0.7  # probability from which a group of ink is not a digit
UNREADABLE = 0.15  # confidence under which a digit is not used
BESIDE = 0.7  # confidence under which a digit does not count beside one above it
RUNNERS_UP = 3
BORDER = 1 / 60  # of the longer side of a picture: what comes nearer to it is cut, or may be
NO_INK = "holds no ink: nothing stands out from its background"
ADVICE: dict[PictureFault, str] = {
    "no_ink": ".",
    "no_digit": ". Crop or rotate it to one upright digit, or name it with label.",
    "several_digits": "; crop it to one, or send shows=line to use all of them.",
}
LINE_ADVICE = ". Crop or rotate it to a line of upright digits."  # `label` is not taken there

Ink = NDArray[np.float32]


class Sight(NamedTuple):
    """A digit that was seen.

    Attributes:
        digit: (28, 28) float32 in [0, 1], in the form of MNIST.
        label: what it was read as, or was said to be.
        confidence: the probability of the label, in [0, 1]; None without the reader's networks.
        runners_up: other labels with their probabilities, most likely first.
        unused: why it has no part in the hand; None if it has.
    """

    digit: Ink
    label: int
    confidence: float | None = None
    runners_up: Sequence[tuple[int, float]] = ()
    unused: str | None = None


def see_digit(reader: Reader, picture: Image.Image, label: int | None) -> Sight:
    """The one digit in a picture (mode RGB).

    Args:
        reader: finds and reads it.
        picture: see `open_pictures`.
        label: what the digit is, if that is known: then it is the group of ink most like it.
    Raises:
        InvalidRequest: it shows no ink, no digit, or several.
    """
    groups = reader.read(picture)
    if not groups:
        raise refused("no_ink", NO_INK)
    if label is not None:
        return _sight(max(groups, key=lambda seen: float(seen.shares[label])), label)
    digits = [seen for seen in groups if is_digit(seen)]
    if not digits:
        raise refused("no_digit", _nothing(groups))
    # The edge of a neighbour may look like a digit, but not beside one that is whole.
    digits = [seen for seen in digits if _is_whole(seen, picture)] or digits
    digits = [seen for seen in digits if seen.confidence >= BESIDE] or digits
    if len(digits) > 1:
        labels = " and ".join(str(seen.label) for seen in sorted(digits, key=lambda s: s.box))
        raise refused("several_digits", f"shows {len(digits)} digits, read as {labels}")
    return _sight(digits[0], digits[0].label)


def see_line(reader: Reader, picture: Image.Image) -> list[Sight]:
    """All digits of a picture (mode RGB) from left to right, and what cannot be used.

    Raises:
        InvalidRequest: no digit among them can be used.
    """
    groups = reader.read_line(picture)
    if not groups:
        raise refused("no_ink", NO_INK)
    sights = [_sight(seen, seen.label) for seen in groups]
    found = [
        sight if is_digit(seen) else sight._replace(unused=_reason(seen))
        for sight, seen in zip(sights, groups, strict=True)
    ]
    if all(sight.unused for sight in found):
        raise refused("no_digit", _nothing(groups), LINE_ADVICE)
    return found


def refused(fault: PictureFault, seen: str, advice: str | None = None) -> InvalidRequest:
    """The refusal of a picture.

    Args:
        fault: for programs.
        seen: what it shows, as the rest of a sentence.
        advice: what to do; None: what helps where one digit is asked for.
    """
    error = FieldError(field=PICTURE, message=seen, code=fault)
    return InvalidRequest([error], f"The picture {seen}{advice or ADVICE[fault]}")


def is_digit(seen: Seen) -> bool:
    """Whether a group of ink is read as a digit."""
    return seen.no_digit < NO_DIGIT and seen.confidence >= UNREADABLE


def _is_whole(seen: Seen, picture: Image.Image) -> bool:
    """Whether a group is apart from the border of the picture."""
    least = BORDER * max(picture.size)
    left, top, right, bottom = seen.box
    space = min(left, top, picture.width - right, picture.height - bottom)
    return space > least


def _sight(seen: Seen, label: int) -> Sight:
    order = np.argsort(-seen.shares[:LABELS])
    others = [(int(other), float(seen.shares[other])) for other in order if other != label]
    return Sight(seen.digit, label, float(seen.shares[label]), others[:RUNNERS_UP])


def _reason(seen: Seen) -> str:
    """Why a group of ink is not read."""
    if seen.no_digit >= NO_DIGIT:
        return f"it is probably not a digit ({seen.no_digit:.0%})"
    return f"it could be {seen.label}, but only with a probability of {seen.confidence:.0%}"


def _nothing(groups: Sequence[Seen]) -> str:
    """What a picture of ink without a digit shows."""
    count = "a mark" if len(groups) == 1 else f"{len(groups)} marks"
    return f"shows {count} and no digit that can be read; of the largest, {_reason(groups[0])}"
