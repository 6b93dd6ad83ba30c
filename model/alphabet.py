"""What a model can write: the names of its labels, and how a line of them is spelled.

Four kinds, each with a spelling of its own:

digits      the labels are 0-9: 2018
characters  each label is one character: hello
words       other names, with commas between them: shirt,bag. A comma or a backslash of a name has
            a backslash before it.
pictures    an unconditional model, which takes no label: the number of pictures, such as 12
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["digits", "characters", "words", "pictures"]

DIGITS = tuple("0123456789")
LABELS = bytes(max(code - ord("0"), 0) for code in range(256))  # of a digit by its character
WORD = re.compile(r"(?:[^,\\]|\\.)*", re.DOTALL)  # of a line of words, as it is spelled
ESCAPED = re.compile(r"\\(.)", re.DOTALL)
SHOWN_NAMES = 30  # of a large alphabet, in a sentence
MAX_NAME = 100  # characters of the name of a label
RUN = 3  # neighbours from which characters are shown as a range


@dataclass(frozen=True)
class Alphabet:
    """The labels 0 .. K - 1 of a model by their names; without names, it takes no label."""

    names: tuple[str, ...]

    @cached_property
    def kind(self) -> Kind:
        """How a line is spelled."""
        if not self.names:
            return "pictures"
        if self.names == DIGITS:
            return "digits"
        return "characters" if all(len(name) == 1 for name in self.names) else "words"

    @cached_property
    def length(self) -> Callable[[str], int]:
        """The number of pictures that a line of this alphabet takes."""
        if self.kind == "pictures":
            return int
        return len if self.kind in ("digits", "characters") else lambda line: len(self.split(line))

    def split(self, line: str) -> list[str]:
        """The name of each picture of a line, as spelled; without labels, as many empty ones."""
        if self.kind == "pictures":
            return [""] * int(line)
        if self.kind != "words":
            return list(line)
        found, end = [], -1
        while end < len(line):
            match = WORD.match(line, end + 1)
            assert match is not None  # it matches nothing, too
            found.append(ESCAPED.sub(r"\1", match[0]))
            end = match.end()
        return found

    def join(self, names: Sequence[str]) -> str:
        """The line that is split into these names."""
        if self.kind == "pictures":
            return str(len(names))
        if self.kind != "words":
            return "".join(names)
        return ",".join(re.sub(r"([,\\])", r"\\\1", name) for name in names)

    def find(self, name: str) -> int | None:
        """The label of a name; None if there is none.

        Capitals do not count, unless two names differ in nothing else.
        """
        return self._labels.get(name, self._folded.get(name.casefold()))

    def labels(self, lines: Sequence[str]) -> NDArray[np.integer[Any]]:
        """The labels (N,) of correct lines, one line after the other; 0 where there are none."""
        if self.kind == "digits":  # of each request, so it is fast
            return np.frombuffer("".join(lines).encode("ascii").translate(LABELS), dtype=np.uint8)
        if self.kind == "pictures":
            return np.zeros(sum(map(int, lines)), dtype=np.intp)
        found = [self._labels[name] for line in lines for name in self.split(line)]
        return np.array(found, dtype=np.intp)

    def line(self, labels: Sequence[int]) -> str:
        """The line of these labels."""
        return self.join([self.names[label] for label in labels])

    @cached_property
    def parameter(self) -> str:
        """The name of what asks for a line."""
        spellings = {"digits": "digits", "characters": "text", "words": "labels"}
        return spellings.get(self.kind, "count")

    @cached_property
    def description(self) -> str:
        """What can be written, for use in a sentence."""
        if self.kind == "digits":
            return "the digits 0-9"
        if self.kind == "pictures":
            return "pictures of any kind that it has learned"
        if self.kind == "characters":
            return f"the characters {_ranges(self.names)}"
        shown = ", ".join(self.names[:SHOWN_NAMES])
        others = len(self.names) - SHOWN_NAMES
        return f"the labels {shown}" + (f" and {others} more, see /model" if others > 0 else "")

    @cached_property
    def sample(self) -> str:
        """A line to show: every digit, or the first few labels."""
        if self.kind == "pictures":
            return "4"
        return self.join(self.names if self.kind == "digits" else self.names[:4])

    @cached_property
    def _labels(self) -> dict[str, int]:
        return {name: label for label, name in enumerate(self.names)}

    @cached_property
    def _folded(self) -> dict[str, int]:
        """The labels of names without capitals, if these are as many."""
        folded = {name.casefold(): label for label, name in enumerate(self.names)}
        return folded if len(folded) == len(self.names) else {}


def check_names(names: Sequence[str], classes: int) -> None:
    """Check the names of all labels.

    Raises:
        ValueError: they are not one for each class, not unique, or cannot be shown.
    """
    if len(names) != classes or len(set(names)) != len(names):
        raise ValueError(f"{len(set(names))} different label names for {classes} classes")
    for label, name in enumerate(names):
        if not 0 < len(name) <= MAX_NAME or not name.isprintable():
            raise ValueError(
                f"label {label} has a name of {len(name)} characters, which must be 1 to "
                f"{MAX_NAME}, all of them printable"
            )


def _ranges(names: Sequence[str]) -> str:
    """Characters in their order, with neighbours as ranges: a-z, or A-CX."""
    runs: list[list[str]] = []
    for name in names:
        if runs and ord(name) == ord(runs[-1][-1]) + 1 and name.isalnum():
            runs[-1].append(name)
        else:
            runs.append([name])
    shown = [f"{run[0]}-{run[-1]}" if len(run) >= RUN else "".join(run) for run in runs]
    return "".join(shown[:SHOWN_NAMES]) + (" and more" if len(shown) > SHOWN_NAMES else "")
