"""A section: consecutive pictures of a data set, drawn batch by batch in the same memory."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from app.drawing.dataset.labels import Labels, draw_numbers, uniforms
from app.drawing.dataset.layout import Sheets, Style, set_numbers
from app.drawing.dataset.texts import SIGNS, Texts
from app.drawing.marks import marks_beside
from app.drawing.renderer import Renderer
from app.request.dataset import ONCE, Description
from app.request.ranges import Range, Size
from model.noise import Noise, hand, mix, noise_of_lines

Counts = NDArray[np.intp]

BATCH = 1024  # digits drawn at a time: fewer cost more time each, more leave the processor's cache
BATCH_PIXELS = 2**23  # that a batch needs at most while it is composed
KEPT_HANDS = 2**12
# Streams of `app.drawing.dataset.labels.uniforms` for what each picture draws from a range.
VARIATION, TEMPERATURE, GAP, SCALE, TOP, LEFT, PEN = 16, 17, 18, 19, 20, 21, 22


@dataclass(frozen=True)
class Batch:
    """Consecutive pictures with their labels.

    Attributes:
        first: row of the first picture in the data set.
        labels: of the N pictures.
        sheets: the N pictures, and their boxes.
        moments: `perf_counter` times: the start, and the ends of noise, decode and compose.
    """

    first: int
    labels: Labels
    sheets: Sheets
    moments: tuple[float, float, float, float]

    def pictures(self) -> Iterator[NDArray[np.uint8]]:
        """Each picture by itself, (H, W) of its own size."""
        for image, (height, width) in zip(
            self.sheets.images, self.sheets.sizes.tolist(), strict=True
        ):
            yield image[:height, :width]


@dataclass(frozen=True)
class Writers:
    """The writers of a section, who write its pictures in turn.

    Attributes:
        first: id of the first writer.
        count: of writers.
        start: row that the first writer writes.
    """

    first: int
    count: int
    start: int


@dataclass(frozen=True)
class Section:
    """`count` pictures from the row `first` on."""

    description: Description
    seed: int
    first: int
    count: int
    texts: Texts | None = None
    writers: Writers | None = None

    @cached_property
    def longest(self) -> int:
        """The most digits that a number of the data set can have."""
        return int(self.description.length.high) if self.texts is None else self.texts.longest

    @cached_property
    def average(self) -> float:
        """Digits of a number on average."""
        length = self.description.length
        return (length.low + length.high) / 2 if self.texts is None else self.texts.average

    @property
    def canvas(self) -> Size:
        """The size of the pictures, or the largest that one can have."""
        return self.description.canvas(self.longest)

    @property
    def fixed(self) -> bool:
        """Whether all pictures have the same size in every form."""
        query = self.description
        even = query.scale.fixed and query.gap.fixed and query.spacing == "cell"
        one_length = query.length.fixed if self.texts is None else self.texts.even
        return query.size is not None or (even and one_length)

    @cached_property
    def labels(self) -> Labels:
        """The labels of all pictures."""
        drawn = draw_numbers(self.description, self.seed, self.texts, self.first, self.count)
        if self.writers is None:
            return drawn
        rows = np.arange(self.first, self.first + self.count) - self.writers.start
        return replace(drawn, writers=self.writers.first + rows % self.writers.count)

    @cached_property
    def batch(self) -> int:
        """Pictures drawn at a time: fewer of large ones, so that memory stays bounded."""
        cell, scale = self.description.cell, self.description.scale.high
        height = self.canvas.height + 2 * round(cell.height * scale)
        pixels = height * (self.canvas.width + 2 * round(cell.width * scale))
        return max(1, min(round(BATCH / self.average), BATCH_PIXELS // pixels))

    @property
    def batch_counts(self) -> list[int]:
        """The pictures in each piece of an encoder: none in the first and the last."""
        starts = range(0, self.count, self.batch)
        return [0, *(min(self.batch, self.count - start) for start in starts), 0]

    def batches(self, renderer: Renderer) -> Iterator[Batch]:
        """Draw the pictures.

        Raises:
            InvalidRequest: the style token does not belong to the renderer's model.
        """
        for start in range(0, self.count, self.batch):
            labels = self.labels.part(start, min(start + self.batch, self.count))
            yield self._draw(renderer, self.first + start, labels)

    def _draw(self, renderer: Renderer, first: int, labels: Labels) -> Batch:
        begin = perf_counter()
        drawn = labels.drawn
        noise = self._noise(renderer, first, labels, drawn.sum(axis=1))
        one_hot = renderer.generator.one_hot(labels.digits[drawn])
        noise_end = perf_counter()
        pictures = renderer.generator.draw(one_hot, noise)
        decode_end = perf_counter()
        sheets = self.compose(first, labels, pictures)
        return Batch(first, labels, sheets, (begin, noise_end, decode_end, perf_counter()))

    def _noise(self, renderer: Renderer, first: int, labels: Labels, counts: Counts) -> Noise:
        """The noise (M, Z) of all digits, between each number's hand and each digit's own.

        Args:
            renderer: of the model.
            first: row of the first number.
            labels: of the N numbers.
            counts: (N,) digits of each, M in all.
        """
        size = renderer.latent_size
        rows = range(first, first + len(labels))
        own = noise_of_lines(
            [(self.seed, row, count) for row, count in zip(rows, counts.tolist(), strict=True)],
            size,
        )
        shares = self._ranged(self.description.shares, VARIATION, first, len(labels))
        if shares.min() < 1:
            writers = rows if labels.writers is None else labels.writers.tolist()
            style = renderer.style_noise(self.description.style)
            hands = np.stack(
                [_hand(self.seed, w, size) if style is None else style for w in writers]
            )
            own = _mixed(np.repeat(hands, counts, axis=0), own, np.repeat(shares, counts))
        if self.description.temperature == ONCE:
            return own
        temperatures = self._ranged(self.description.temperature, TEMPERATURE, first, len(labels))
        return own * np.repeat(temperatures.astype(np.float32), counts)[:, None]

    def compose(self, first: int, labels: Labels, pictures: NDArray[np.uint8]) -> Sheets:
        """The pictures of numbers.

        Args:
            first: row of the first number.
            labels: of the numbers.
            pictures: (M, H, W) their digits, one number after the other.
        """
        query, count = self.description, len(labels)
        style = Style(
            spacing=query.spacing,
            gaps=self._integers(query.gap, GAP, first, count),
            scales=self._ranged(query.scale, SCALE, first, count),
            canvas=self.canvas,
            margin=query.margin,
            place=self._places(first, count),
            fixed=query.size is not None,
            boxes=query.boxes == "on",
            standing=labels.drawn & (query.alphabet.kind == "digits"),
            pens=self._ranged(query.pen, PEN, first, count) if query.render == "ink" else None,
        )
        used = labels.used
        if not np.array_equal(used, labels.drawn):
            pictures = _with_marks(pictures, labels)
        return set_numbers(pictures, used, style)

    def _places(self, first: int, count: int) -> NDArray[np.float64]:
        """(count, 2) in [0, 1): where a number is in the room above and left of it."""
        if self.description.placement == "random":
            return np.column_stack(
                [uniforms(self.seed, stream, first, count) for stream in (TOP, LEFT)]
            )
        left = 0.0 if self.description.placement == "left" else 0.5
        return np.broadcast_to([0.5, left], (count, 2))

    def _ranged(self, of: Range, stream: int, first: int, count: int) -> NDArray[np.float64]:
        """(count,) what each picture draws from a range, evenly."""
        if of.fixed:
            return np.full(count, of.low, dtype=np.float64)
        return of.low + uniforms(self.seed, stream, first, count) * (of.high - of.low)

    def _integers(self, of: Range, stream: int, first: int, count: int) -> NDArray[np.intp]:
        """(count,) the integer that each picture draws from a range."""
        if of.fixed:
            return np.full(count, int(of.low), dtype=np.intp)
        ends = Range(of.low, of.high + 1)
        return np.floor(self._ranged(ends, stream, first, count)).astype(np.intp)


@lru_cache(maxsize=KEPT_HANDS)
def _hand(seed: int, writer: int, size: int) -> Noise:
    """The hand of a writer, or of a row. Kept, because a writer writes many numbers."""
    return hand(seed, writer, size)


def _with_marks(pictures: NDArray[np.uint8], labels: Labels) -> NDArray[np.uint8]:
    """The pictures (M, H, W) of numbers with their marks, from those of the digits alone."""
    used, drawn = labels.used, labels.drawn
    whole = np.empty((used.sum(), *pictures.shape[1:]), np.uint8)
    whole[drawn[used]] = pictures
    lines = np.split(pictures, np.cumsum(drawn.sum(axis=1))[:-1])
    marks = used & ~drawn
    rows = np.flatnonzero(marks.any(axis=1)).tolist()
    signs = [[SIGNS[label] for label in labels.digits[row, marks[row]]] for row in rows]
    parts = [marks_beside(lines[row], own) for row, own in zip(rows, signs, strict=True)]
    whole[marks[used]] = np.concatenate(parts)
    return whole


def _mixed(hands: Noise, own: Noise, shares: NDArray[np.float64]) -> Noise:
    """Noise (M, Z) between two, each row at its own share; see `model.noise.mix`."""
    if shares.min() == shares.max():
        return mix(hands, own, float(shares[0]))
    angles = shares[:, None] * (np.pi / 2)
    mixed: Noise = (
        np.cos(angles).astype(np.float32) * hands + np.sin(angles).astype(np.float32) * own
    )
    return mixed
