"""The texts to write, from a file with one a line, in the alphabet of the model."""

import hashlib
from codecs import BOM_UTF8
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.request.error import InvalidRequest, invalid
from app.request.fields import MAX_DIGITS
from model.alphabet import Alphabet

Digits = NDArray[np.unsignedinteger[Any]]  # labels
Read = tuple[Digits, NDArray[np.int64], NDArray[np.int64]]

NEWLINE = ord("\n")
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
        content = path.read_bytes().removeprefix(BOM_UTF8).replace(b"\r\n", b"\n")
    except OSError as error:
        raise invalid("texts", f"{path} cannot be read: {error.strerror}") from error
    if not content.strip():
        raise invalid("texts", f"{path} has no line; expected one text a line")
    if not content.endswith(b"\n"):
        content += b"\n"
    read = _read_digits if alphabet.kind == "digits" else _read_names
    labels, starts, lengths = read(path, content, alphabet)
    return Texts(labels, starts, lengths, len(alphabet.names), hashlib.sha256(content).hexdigest())


def _read_digits(path: Path, content: bytes, alphabet: Alphabet) -> Read:
    """The labels, starts and lengths of texts of digits: a file may have millions."""
    values = np.frombuffer(content, dtype=np.uint8)
    ends = np.flatnonzero(values == NEWLINE)
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts
    strange = (values != NEWLINE) & ((values < ord("0")) | (values > ord("9")))
    wrong = np.flatnonzero((lengths == 0) | (lengths > MAX_DIGITS))
    lines = [*np.searchsorted(ends, np.flatnonzero(strange)[:1]).tolist(), *wrong[:1].tolist()]
    if lines:
        line = min(lines)
        raise _undrawable(path, line + 1, content[starts[line] : ends[line]], alphabet)
    return values - ord("0"), starts, lengths


def _read_names(path: Path, content: bytes, alphabet: Alphabet) -> Read:
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


def _undrawable(path: Path, line: int, text: bytes, alphabet: Alphabet) -> InvalidRequest:
    shown = text[:SHOWN].decode("utf-8", "replace")
    more = " ..." if len(text) > SHOWN else ""
    return invalid(
        "texts",
        f"cannot be drawn: line {line} of {path} is '{shown}{more}', expected 1 to {MAX_DIGITS} "
        f"of {alphabet.description}",
    )
