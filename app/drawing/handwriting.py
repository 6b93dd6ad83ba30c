"""The hand in pictures of handwritten digits, each brought to the form of MNIST.

A checkpoint with the networks of a reader finds the digit among all that a photo shows, see
`app.drawing.sight`. Without them a digit on bare paper is read, with the CVAE as the classifier.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from app.drawing.picture import open_pictures
from app.drawing.renderer import Renderer
from app.drawing.sight import NO_INK, Sight, refused, see_digit, see_line
from app.drawing.style import encode_style
from app.request.error import Reason, RequestError
from app.request.ranges import Size
from app.request.schemas import CELL
from model.reading.cutout import normalise

MIN_CONTRAST = 40  # grey levels between ink and paper
FAINT = 0.15  # of full ink: paler pixels are paper
NOISE_LIMIT = 5  # standard deviations of the paper that are not ink yet
FIT_PIXELS = 4096  # of the picture, to find the level of its paper
FIT_ROUNDS = 12
SPECK_SIDE = 64  # pixels: in larger pictures, single pixels are dust and not ink
SURE = 0.8  # confidence under which an answer has a warning

Ink = NDArray[np.float32]
Noise = NDArray[np.float32]


class Hand(NamedTuple):
    """A handwriting that was found in pictures.

    Attributes:
        style: token for the parameter `style`.
        labels: what the pictures show, or the digits of a line; empty if the model has none.
        confidence: the mean probability of these labels; None without a reader.
        sights: everything that was seen, used or not.
        noises: (N, Z), what draws each sight again.
    """

    style: str
    labels: Sequence[int]
    confidence: float | None
    sights: Sequence[Sight]
    noises: Noise

    @property
    def warning(self) -> str | None:
        """A sentence about a label that may be wrong, or about what was not used."""
        unused = sum(sight.unused is not None for sight in self.sights)
        if unused:
            return f"{unused} of {len(self.sights)} marks could not be used."
        if self.confidence is not None and self.confidence < SURE:
            return f"Read with a confidence of only {self.confidence:.0%}."
        return None


def find_hand(
    renderer: Renderer, contents: list[bytes], label: int | None, line: bool = False
) -> Hand:
    """The hand of uploaded pictures: the mean of the noise that draws digits like them.

    Args:
        renderer: its model encodes the pictures.
        contents: picture files, at least one; emptied, see `open_pictures`.
        label: what they show; None: it is read.
        line: whether there is one file, which shows a line of digits, instead of the same one.
    Raises:
        RequestError: a file is not a picture, see `open_pictures`, or none shows what it should
            (INVALID).
    """
    generator = renderer.generator
    if line:
        sights = _line(renderer, contents)
    else:
        sights = _digits(renderer, open_pictures(contents), label)
    used = [index for index, sight in enumerate(sights) if sight.unused is None]
    cell = renderer.queries.generate.cell
    digits = np.stack([fitted(sight.digit, cell) for sight in sights])
    labels = np.array([sight.label for sight in sights], dtype=np.intp)
    noises = generator.style(digits, generator.one_hot(labels))
    shares = [sights[i].confidence for i in used]
    # What was named is trusted; what was read counts as much as it is likely to be right.
    known = [1.0 if share is None or label is not None else share for share in shares]
    mean = np.average(noises[used], axis=0, weights=known).astype(np.float32)
    shown = [int(labels[i]) for i in used] if line else [int(labels[used[0]])]
    return Hand(
        style=encode_style(mean, renderer.model_hash),
        labels=shown if generator.config.conditional else [],
        confidence=None if None in shares else float(np.mean(np.array(shares, np.float64))),
        sights=sights,
        noises=noises,
    )


def _line(renderer: Renderer, contents: list[bytes]) -> list[Sight]:
    reader = renderer.reader
    if reader is None:
        raise RequestError(
            Reason.INVALID,
            "The model of this service has no networks that find the digits of a line; send a "
            "picture of one digit.",
        )
    if len(contents) > 1:  # reading a line takes as long as reading eight digits
        raise RequestError(
            Reason.INVALID,
            f"The upload has {len(contents)} pictures; with shows=line send "
            "one, of the whole line.",
        )
    (picture,) = open_pictures(contents)
    return see_line(reader, picture)


def _digits(renderer: Renderer, pictures: Iterable[Image.Image], label: int | None) -> list[Sight]:
    """The digit of each picture; all get the label that they show together."""
    reader = renderer.reader
    if reader is None:
        digits = [_digit(picture) for picture in pictures]
        if label is None and renderer.generator.config.conditional:
            first = fitted(digits[0], renderer.queries.generate.cell)
            label = renderer.generator.read(first)
        return [Sight(digit, label or 0) for digit in digits]
    sights = [see_digit(reader, picture, label) for picture in pictures]
    if label is None:
        votes = np.zeros(10)
        for sight in sights:
            for other, share in [(sight.label, sight.confidence or 0), *sight.runners_up]:
                votes[other] += share
        label = int(votes.argmax())
    return [_as(sight, label) for sight in sights]


def _as(sight: Sight, label: int) -> Sight:
    """The sight with the label that all pictures show together."""
    if sight.label == label:
        return sight
    shares = dict([(sight.label, sight.confidence or 0.0), *sight.runners_up])
    own = shares.pop(label, 0.0)
    return sight._replace(label=label, confidence=own, runners_up=list(shares.items()))


def read_digit(content: bytes) -> Ink:
    """The digit in a picture file on bare paper: (28, 28) float32 in [0, 1], ink 1.

    Args:
        content: PNG, JPEG or WebP; ink on paper as in a photo, or bright on dark.
    Raises:
        RequestError: it is not such a picture (UNSUPPORTED_TYPE), has too many pixels (TOO_LARGE)
            or no ink (INVALID).
    """
    return _digit(*open_pictures([content]))


def _digit(picture: Image.Image) -> Ink:
    grey = picture.convert("L")
    large = max(grey.size) > SPECK_SIDE
    return normalise(ink_of(grey.filter(ImageFilter.MedianFilter(3)) if large else grey))


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
        raise refused("no_ink", NO_INK)
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
