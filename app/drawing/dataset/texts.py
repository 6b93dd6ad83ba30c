"""The texts to write, one a line, in the alphabet of the model."""

import hashlib
from codecs import BOM_UTF8
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.request.error import InvalidRequest, invalid
from app.request.fields import MAX_DIGITS
from app.request.line import MARKED_RULE, MARKS
from model.alphabet import DIGITS, Alphabet

Digits = NDArray[np.unsignedinteger[Any]]  # labels
Read = tuple[Digits, NDArray[np.int64], NDArray[np.int64]]

# The digits, the padding after the end of a number, and the marks: a label is a place here.
SIGNS = "".join(DIGITS) + "\n" + MARKS
PADDING = len(DIGITS)
UNKNOWN = 255
MOST_BYTES = 2**30  # of a file: more is not a list of texts, or does not fit into memory
SHOWN = 20  # characters of a text that cannot be drawn


@dataclass(frozen=True)
class Texts:
    """Texts of 1 to `MAX_DIGITS` labels.

    Attributes:
        labels: of all texts, one after the other; other values may stand between two texts.
        starts: (M,) int64, where each text begins in `labels`.
        lengths: (M,) int64, labels of each text.
        padding: stands after the end of a text.
        sha256: hex digest of the texts.
    """

    labels: Digits
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    padding: int
    sha256: str

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def longest(self) -> int:
        """Digits of the longest text."""
        return int(self.lengths.max())

    @property
    def average(self) -> float:
        """Digits of a text on average."""
        return float(self.lengths.mean())

    @property
    def even(self) -> bool:
        """Whether all texts have the same number of digits."""
        return bool((self.lengths == self.lengths[0]).all())

    def rows(self, first: int, count: int) -> tuple[Digits, NDArray[np.intp]]:
        """Labels (count, L) with padding, and lengths (count,) of rows in turn."""
        chosen = np.arange(first, first + count) % len(self)
        lengths = self.lengths[chosen]
        columns = np.arange(self.longest)
        places = np.minimum(self.starts[chosen, None] + columns, len(self.labels) - 1)
        digits = self.labels[places]
        digits[columns >= lengths[:, None]] = self.padding
        return digits, lengths.astype(np.intp)


def label_type(alphabet: Alphabet) -> type[np.unsignedinteger[Any]]:
    """The smallest type of all labels and the padding."""
    return np.uint8 if len(alphabet.names) <= np.iinfo(np.uint8).max else np.uint16


def read_texts(path: Path, alphabet: Alphabet) -> Texts:
    """The texts of a file.

    Raises:
        InvalidRequest: the file cannot be read, a line cannot be drawn, or there is none.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1).removeprefix(BOM_UTF8)
    except OSError as error:
        raise invalid("texts", f"{path} cannot be read: {error.strerror}") from error
    if len(content) > MOST_BYTES:
        raise invalid("texts", f"{path} is larger than {MOST_BYTES} bytes; divide it")
    return parse_texts(content, alphabet, path)


def parse_texts(content: bytes, alphabet: Alphabet, path: Path | None = None) -> Texts:
    """The texts of lines.

    Args:
        content: the lines, in UTF-8.
        alphabet: of the model.
        path: of their file, which a refusal names with the text; None repeats nothing.
    Raises:
        InvalidRequest: a line cannot be drawn, or there is none.
    """
    content = content.replace(b"\r\n", b"\n")
    if not content.strip():
        what = "have" if path is None else f"{path} has"
        raise invalid("texts", f"{what} no line; expected one text a line")
    if not content.endswith(b"\n"):
        content += b"\n"
    read = _read_numbers if alphabet.kind == "digits" else _read_names
    labels, starts, lengths = read(path, content, alphabet)
    return Texts(labels, starts, lengths, len(alphabet.names), hashlib.sha256(content).hexdigest())


def _read_numbers(path: Path | None, content: bytes, alphabet: Alphabet) -> Read:
    """The labels, starts and lengths of numbers, which may have marks: a file may have millions."""
    labels = np.full(256, UNKNOWN, np.uint8)
    labels[list(SIGNS.encode())] = np.arange(len(SIGNS))
    values = labels[np.frombuffer(content, dtype=np.uint8)]
    ends = np.flatnonzero(values == PADDING)
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts
    last = np.maximum(ends - 1, starts)
    spaced = (values[starts] == SIGNS.index(" ")) | (values[last] == SIGNS.index(" "))
    empty = ~np.logical_or.reduceat(values < PADDING, starts)
    wrong = np.flatnonzero((lengths > MAX_DIGITS) | spaced | empty)
    strange = np.flatnonzero(values == UNKNOWN)
    lines = [*np.searchsorted(ends, strange[:1]).tolist(), *wrong[:1].tolist()]
    if lines:
        line = min(lines)
        raise _undrawable(path, line + 1, content[starts[line] : ends[line]], alphabet)
    return values, starts, lengths


def _read_names(path: Path | None, content: bytes, alphabet: Alphabet) -> Read:
    """The labels, starts and lengths of texts in any alphabet."""
    labels: list[int] = []
    lengths: list[int] = []
    for number, line in enumerate(content.removesuffix(b"\n").split(b"\n"), start=1):
        names = alphabet.split(line.decode("utf-8", "replace"))
        found = [label for name in names if (label := alphabet.find(name)) is not None]
        if len(found) != len(names) or not 1 <= len(names) <= MAX_DIGITS:
            raise _undrawable(path, number, line, alphabet)
        labels += found
        lengths.append(len(found))
    ends = np.cumsum(lengths, dtype=np.int64)
    return np.array(labels, label_type(alphabet)), ends - lengths, np.array(lengths, np.int64)


def _undrawable(path: Path | None, line: int, text: bytes, alphabet: Alphabet) -> InvalidRequest:
    rule = f"must be 1 to {MAX_DIGITS} of {alphabet.description}"
    if alphabet.kind == "digits":
        rule = f"{MARKED_RULE.format(most=MAX_DIGITS)}, with a digit and without a space outside"
    if path is None:
        return invalid("texts", f"cannot be drawn: line {line} {rule}")
    shown = text[:SHOWN].decode("utf-8", "replace")
    more = " ..." if len(text) > SHOWN else ""
    return invalid(
        "texts", f"cannot be drawn: line {line} of {path} is '{shown}{more}', and {rule}"
    )
