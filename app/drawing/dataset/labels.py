"""Which numbers a data set has: every row's label is a function of the seed and the row.

Random numbers come from Philox with the key (seed, 2^32 + stream). A shard starts anywhere in a
stream, so any part of a data set can be made by itself.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.drawing.dataset.texts import Texts
from app.request.dataset import Description

PADDING = 10  # stands in `digits` for the positions after the end of a number
BLOCK = 2**16  # rows whose uniform digits are drawn together
CHUNK = 1000  # digits that are balanced together
FIRST_STREAM = 2**32  # beyond the rows of the noise
DIGITS, LENGTHS, WEIGHTED, FIRST_DIGITS = 1, 2, 3, 4  # streams
WORDS = 4  # of 64 bits in one block of Philox
BALANCED = (np.arange(CHUNK) % 10).astype(np.uint8)


@dataclass(frozen=True)
class Labels:
    """The labels of N consecutive pictures.

    Attributes:
        digits: (N, L) uint8, `PADDING` after the end of a number.
        lengths: (N,) intp, digits of each number.
        writers: (N,) int64, or None where no picture has a writer.
    """

    digits: NDArray[np.uint8]
    lengths: NDArray[np.intp]
    writers: NDArray[np.int64] | None

    def __len__(self) -> int:
        return len(self.digits)

    def part(self, first: int, end: int) -> "Labels":
        """The labels of the pictures from `first` to before `end`."""
        writers = None if self.writers is None else self.writers[first:end]
        return Labels(self.digits[first:end], self.lengths[first:end], writers)

    def used(self) -> NDArray[np.bool_]:
        """(N, L): where there is a digit, and no padding."""
        used: NDArray[np.bool_] = np.arange(self.digits.shape[1]) < self.lengths[:, None]
        return used

    def texts(self) -> list[str]:
        """Each number as text."""
        rows = (self.digits + ord("0")).tobytes().decode("ascii")
        width = self.digits.shape[1]
        starts = range(0, len(rows), width)
        return [
            rows[start : start + length]
            for start, length in zip(starts, self.lengths.tolist(), strict=True)
        ]


def draw_numbers(
    description: Description, seed: int, texts: Texts | None, first: int, count: int
) -> Labels:
    """The numbers of `count` rows from `first` on, without writers.

    Args:
        description: of the data set.
        seed: of the data set.
        texts: are written in turn, instead of random numbers; None for these.
        first: row of the first number.
        count: of numbers, >= 1.
    """
    if texts is not None:
        return Labels(*texts.rows(first, count), writers=None)
    low, high = int(description.length.low), int(description.length.high)
    lengths = np.full(count, low, dtype=np.intp)
    if high > low:
        lengths += (uniforms(seed, LENGTHS, first, count) * (high - low + 1)).astype(np.intp)
    digits = _digits(description, seed, first, count)
    if description.zeros == "off" and high > 1:
        leading = _first_digits(description, seed, first, count)
        digits[:, 0] = np.where(lengths > 1, leading, digits[:, 0])
    digits[np.arange(high) >= lengths[:, None]] = PADDING
    return Labels(digits, lengths, writers=None)


def uniforms(seed: int, stream: int, first: int, count: int) -> NDArray[np.float64]:
    """The numbers `first` .. `first` + `count` - 1 of a stream, from [0, 1)."""
    bits = np.random.Philox(key=[seed, FIRST_STREAM + stream])
    bits.advance(first // WORDS)
    skipped = first % WORDS
    return np.random.Generator(bits).random(skipped + count)[skipped:]


def _digits(description: Description, seed: int, first: int, count: int) -> NDArray[np.uint8]:
    """(count, L) digits without regard to lengths and leading zeros."""
    longest = int(description.length.high)
    if description.frequencies == "balanced":
        return _balanced(seed, first * longest, count * longest).reshape(count, longest)
    if description.weights is None:
        return _uniform_digits(seed, first, count, longest)
    drawn = uniforms(seed, WEIGHTED, first * longest, count * longest)
    return _weighted(drawn, description.weights).reshape(count, longest)


def _uniform_digits(seed: int, first: int, count: int, longest: int) -> NDArray[np.uint8]:
    """(count, longest) digits. numpy draws those of a block one after the other."""
    parts = []
    for block in range(first // BLOCK, (first + count - 1) // BLOCK + 1):
        end = min(first + count - block * BLOCK, BLOCK)
        bits = np.random.Philox(key=[seed, FIRST_STREAM + DIGITS], counter=[0, 0, block, 0])
        drawn = np.random.Generator(bits).integers(0, 10, size=(end, longest), dtype=np.uint8)
        parts.append(drawn[max(first - block * BLOCK, 0) :])
    return np.concatenate(parts)


def _balanced(seed: int, first: int, count: int) -> NDArray[np.uint8]:
    """(count,) digits from the digit `first` on, each chunk a random order of equal shares."""
    chunks = range(first // CHUNK, (first + count - 1) // CHUNK + 1)
    drawn = np.empty((len(chunks), CHUNK), dtype=np.uint8)
    for row, chunk in zip(drawn, chunks, strict=True):
        bits = np.random.Philox(key=[seed, FIRST_STREAM + DIGITS], counter=[0, 0, 0, chunk + 1])
        row[:] = np.random.Generator(bits).permutation(BALANCED)
    start = first - chunks[0] * CHUNK
    return drawn.reshape(-1)[start : start + count]


def _first_digits(description: Description, seed: int, first: int, count: int) -> NDArray[np.uint8]:
    """(count,) first digits, from 1 to 9."""
    weights = description.weights or [1.0] * 10
    return _weighted(uniforms(seed, FIRST_DIGITS, first, count), [0.0, *weights[1:]])


def _weighted(drawn: NDArray[np.float64], weights: list[float]) -> NDArray[np.uint8]:
    """The digit that each number of [0, 1) stands for."""
    ends = np.cumsum(weights) / np.sum(weights)
    ends[np.flatnonzero(weights)[-1] :] = 1.0  # rounding must not leave room above the last digit
    return np.searchsorted(ends, drawn, side="right").astype(np.uint8)
