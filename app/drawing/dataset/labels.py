"""Which lines a data set has: every row's label is a function of the seed and the row.

Random numbers come from Philox with the key (seed, 2^32 + stream). A shard starts anywhere in a
stream, so any part of a data set can be made by itself.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from app.drawing.dataset.texts import SIGNS, Digits, Texts, label_type
from app.request.dataset import Description
from model.alphabet import Alphabet

BLOCK = 2**16  # rows whose uniform digits are drawn together
CHUNK = 1000  # labels that are balanced together, or the next multiple of K
FIRST_STREAM = 2**32  # beyond the rows of the noise
DIGITS, LENGTHS, WEIGHTED, FIRST_DIGITS = 1, 2, 3, 4  # streams
SPELLED = np.frombuffer(SIGNS.encode(), np.uint8)
WORDS = 4  # of 64 bits in one block of Philox


@dataclass(frozen=True)
class Labels:
    """The labels of N consecutive pictures.

    Attributes:
        digits: (N, L) labels 0 .. K - 1 as `label_type`; K, the padding, after the end of a line;
            above K the marks of a number, see `app.drawing.dataset.texts.SIGNS`.
        lengths: (N,) intp, labels and marks of each line.
        writers: (N,) int64, or None where no picture has a writer.
        alphabet: of the labels.
    """

    digits: Digits
    lengths: NDArray[np.intp]
    writers: NDArray[np.int64] | None
    alphabet: Alphabet

    def __len__(self) -> int:
        return len(self.digits)

    def part(self, first: int, end: int) -> "Labels":
        """The labels of the pictures from `first` to before `end`."""
        writers = None if self.writers is None else self.writers[first:end]
        return replace(
            self, digits=self.digits[first:end], lengths=self.lengths[first:end], writers=writers
        )

    @cached_property
    def used(self) -> NDArray[np.bool_]:
        """(N, L): where there is a label or a mark, and no padding."""
        used: NDArray[np.bool_] = np.arange(self.digits.shape[1]) < self.lengths[:, None]
        return used

    @cached_property
    def drawn(self) -> NDArray[np.bool_]:
        """(N, L): where there is a label, which the model draws."""
        drawn: NDArray[np.bool_] = self.digits < len(self.alphabet.names)
        return drawn

    def texts(self) -> list[str]:
        """Each line as text."""
        if self.alphabet.kind != "digits":
            rows_of = zip(self.digits.tolist(), self.lengths.tolist(), strict=True)
            return [self.alphabet.line(row[:length]) for row, length in rows_of]
        rows = SPELLED[self.digits].tobytes().decode("ascii")
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
    alphabet = description.alphabet
    if texts is not None:
        return Labels(*texts.rows(first, count), None, alphabet)
    low, high = int(description.length.low), int(description.length.high)
    lengths = np.full(count, low, dtype=np.intp)
    if high > low:
        lengths += (uniforms(seed, LENGTHS, first, count) * (high - low + 1)).astype(np.intp)
    digits = _digits(description, seed, first, count)
    if description.zeros == "off" and high > 1:
        leading = _first_digits(description, seed, first, count)
        digits[:, 0] = np.where(lengths > 1, leading, digits[:, 0])
    digits[np.arange(high) >= lengths[:, None]] = len(alphabet.names)
    return Labels(digits, lengths, None, alphabet)


def uniforms(seed: int, stream: int, first: int, count: int) -> NDArray[np.float64]:
    """The numbers `first` .. `first` + `count` - 1 of a stream, from [0, 1)."""
    bits = np.random.Philox(key=[seed, FIRST_STREAM + stream])
    bits.advance(first // WORDS)
    skipped = first % WORDS
    return np.random.Generator(bits).random(skipped + count)[skipped:]


def _digits(description: Description, seed: int, first: int, count: int) -> Digits:
    """(count, L) labels without regard to lengths and leading zeros."""
    longest, alphabet = int(description.length.high), description.alphabet
    if description.frequencies == "balanced":
        drawn = _balanced(alphabet, seed, first * longest, count * longest)
    elif description.weights is None:
        return _uniform_digits(alphabet, seed, first, count, longest)
    else:
        numbers = uniforms(seed, WEIGHTED, first * longest, count * longest)
        drawn = _weighted(numbers, description.weights).astype(label_type(alphabet))
    return drawn.reshape(count, longest)


def _uniform_digits(alphabet: Alphabet, seed: int, first: int, count: int, longest: int) -> Digits:
    """(count, longest) labels. numpy draws those of a block one after the other."""
    parts = []
    for block in range(first // BLOCK, (first + count - 1) // BLOCK + 1):
        end = min(first + count - block * BLOCK, BLOCK)
        bits = np.random.Philox(key=[seed, FIRST_STREAM + DIGITS], counter=[0, 0, block, 0])
        rng, labels, kind = np.random.Generator(bits), len(alphabet.names), label_type(alphabet)
        drawn: Digits = rng.integers(0, labels, size=(end, longest), dtype=kind)
        parts.append(drawn[max(first - block * BLOCK, 0) :])
    return np.concatenate(parts)


def _balanced(alphabet: Alphabet, seed: int, first: int, count: int) -> Digits:
    """(count,) labels from the label `first` on, each chunk a random order of equal shares."""
    labels = len(alphabet.names)
    size = -(-CHUNK // labels) * labels
    equal = (np.arange(size) % labels).astype(label_type(alphabet))
    chunks = range(first // size, (first + count - 1) // size + 1)
    drawn = np.empty_like(equal, shape=(len(chunks), size))
    for row, chunk in zip(drawn, chunks, strict=True):
        bits = np.random.Philox(key=[seed, FIRST_STREAM + DIGITS], counter=[0, 0, 0, chunk + 1])
        row[:] = np.random.Generator(bits).permutation(equal)
    start = first - chunks[0] * size
    return drawn.reshape(-1)[start : start + count]


def _first_digits(description: Description, seed: int, first: int, count: int) -> NDArray[np.intp]:
    """(count,) first digits, from 1 to 9."""
    weights = description.weights or [1.0] * 10
    return _weighted(uniforms(seed, FIRST_DIGITS, first, count), [0.0, *weights[1:]])


def _weighted(drawn: NDArray[np.float64], weights: list[float]) -> NDArray[np.intp]:
    """The digit that each number of [0, 1) stands for."""
    ends = np.cumsum(weights) / np.sum(weights)
    ends[np.flatnonzero(weights)[-1] :] = 1.0  # rounding must not leave room above the last digit
    return np.searchsorted(ends, drawn, side="right").astype(np.intp)
