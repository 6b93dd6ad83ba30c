"""The texts to write, from a file with one a line."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.request.error import InvalidRequest, invalid
from app.request.schemas import MAX_DIGITS

NEWLINE = ord("\n")
SHOWN = 20  # characters of a text that cannot be drawn


@dataclass(frozen=True)
class Texts:
    """Texts of 1 to `MAX_DIGITS` digits.

    Attributes:
        content: the file with one newline after each text.
        starts: (M,) int64, where each text begins in `content`.
        lengths: (M,) int64, digits of each text.
    """

    content: NDArray[np.uint8]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]

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

    @property
    def sha256(self) -> str:
        """Hex digest of the texts."""
        return hashlib.sha256(self.content.tobytes()).hexdigest()

    def rows(self, first: int, count: int) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
        """Digits (count, L) uint8 padded with 10, and lengths (count,) of rows in turn."""
        chosen = np.arange(first, first + count) % len(self)
        lengths = self.lengths[chosen]
        columns = np.arange(self.longest)
        places = np.minimum(self.starts[chosen, None] + columns, len(self.content) - 1)
        digits = self.content[places] - ord("0")
        digits[columns >= lengths[:, None]] = 10
        return digits, lengths.astype(np.intp)


def read_texts(path: Path) -> Texts:
    """The texts of a file.

    Raises:
        InvalidRequest: the file cannot be read, a line cannot be drawn, or there is none.
    """
    try:
        content = path.read_bytes().replace(b"\r\n", b"\n")
    except OSError as error:
        raise invalid("texts", f"{path} cannot be read: {error.strerror}") from error
    if not content.strip():
        raise invalid("texts", f"{path} has no line; expected one number a line")
    if not content.endswith(b"\n"):
        content += b"\n"
    values = np.frombuffer(content, dtype=np.uint8)
    ends = np.flatnonzero(values == NEWLINE)
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts
    strange = (values != NEWLINE) & ((values < ord("0")) | (values > ord("9")))
    wrong = np.flatnonzero((lengths == 0) | (lengths > MAX_DIGITS))
    lines = [*np.searchsorted(ends, np.flatnonzero(strange)[:1]).tolist(), *wrong[:1].tolist()]
    if lines:
        line = min(lines)
        raise _undrawable(path, line + 1, content[starts[line] : ends[line]])
    return Texts(values, starts, lengths)


def _undrawable(path: Path, line: int, text: bytes) -> InvalidRequest:
    shown = text[:SHOWN].decode("utf-8", "replace")
    more = " ..." if len(text) > SHOWN else ""
    return invalid(
        "texts",
        f"cannot be drawn: line {line} of {path} is '{shown}{more}', expected 1 to {MAX_DIGITS} "
        "of the digits 0-9",
    )
