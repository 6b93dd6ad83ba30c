"""The parameters that are written in the alphabet of a model: a line, and one label of it."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from pydantic_core import PydanticCustomError

from app.request.parameter import Constraint
from model.alphabet import DIGITS, Alphabet

MARKS = ".,:-/ "  # what may stand between digits
# Other signs for them.
SPELLED = {
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
    "\u066b": ".",
    "\u060c": ",",
}
FULL_WIDTH = "\uff01", "\uff5e"  # the first and last of the signs of East Asian width
MARKED_RULE = "must be 1 to {most} of the digits 0-9 and the marks . , : - / and space"
COUNT = re.compile(r"[0-9]{1,4}")
# What asks for something in some alphabet, and is unknown in the others.
PARAMETERS = ("digits", "text", "labels", "count", "digit", "label", "from", "to")


def refusal(alphabet: Alphabet, instead: str) -> str:
    """Why a parameter of another alphabet is refused, after its name.

    Args:
        alphabet: of the model.
        instead: what to do.
    """
    if alphabet.kind == "pictures":
        return (
            "is not for this model, an unconditional VAE, which takes no label and draws "
            f"{alphabet.description}; {instead}"
        )
    return f"is not for this model, which writes {alphabet.description}; {instead}"


@dataclass(frozen=True)
class Line(Constraint):
    """A line of 1 to `most` labels of an alphabet, kept as text in the spelling of its names.

    str.isdigit() would accept the digits of other scripts too.
    """

    alphabet: Alphabet
    most: int

    def check(self, text: str) -> str:
        """See `Constraint.check`."""
        if self.alphabet.kind == "pictures":
            return self._count(text)
        names = self.alphabet.split(text)
        found = [self.alphabet.find(name) for name in names[: self.most]]
        if not names or len(names) > self.most or None in found:
            raise PydanticCustomError("line", self._sentence(names, found))
        if self.alphabet.kind == "digits":
            return text
        return self.alphabet.line([label for label in found if label is not None])

    def describe(self) -> dict[str, Any]:
        """See `Constraint.describe`."""
        match self.alphabet.kind:
            case "digits":
                return {"pattern": f"^[0-9]{{1,{self.most}}}$"}
            case "pictures":
                return {"type": "integer", "minimum": 1, "maximum": self.most}
            case "characters":
                return {"minLength": 1, "maxLength": self.most}
            case _:
                return {"minLength": 1}

    def _count(self, text: str) -> str:
        if COUNT.fullmatch(text) and 1 <= int(text) <= self.most:
            return str(int(text))
        raise PydanticCustomError("line", f"must be an integer from 1 to {self.most}")

    def _sentence(self, names: list[str], found: list[int | None]) -> str:
        """What is wrong, without repeating the text."""
        alphabet = self.alphabet
        rule = f"must be 1 to {self.most} of {alphabet.description}"
        if not names:
            return f"{rule}; found none"
        if len(names) > self.most:
            what = "labels" if alphabet.kind == "words" else "characters"
            return f"{rule}; found {len(names)} {what}"
        position = found.index(None) + 1
        if alphabet.kind == "digits":
            return f"{rule}; character {position} is not a digit"
        what = "label" if alphabet.kind == "words" else "character"
        return f"{rule}; {what} {position} is not one of them"


@dataclass(frozen=True)
class Label(Constraint):
    """One label of an alphabet, by its name."""

    alphabet: Alphabet

    def check(self, text: str) -> str:
        """See `Constraint.check`."""
        label = self.alphabet.find(text)
        if label is None:
            sentence = f"must be one of {self.alphabet.description}"
            raise PydanticCustomError("label", sentence)
        return self.alphabet.names[label]

    def describe(self) -> dict[str, Any]:
        """See `Constraint.describe`."""
        return {"minLength": 1}


@dataclass(frozen=True)
class MarkedLine(Constraint):
    """A number with marks, as people type it: digits of any script, and `MARKS` in any form."""

    most: int

    def check(self, text: str) -> str:
        """See `Constraint.check`; the value has ASCII digits and `MARKS` alone."""
        rule = MARKED_RULE.format(most=self.most)
        plain = "".join(map(_plain, text[: self.most + 1]))
        if not 0 < len(plain) <= self.most:
            raise PydanticCustomError("line", f"{rule}; found {len(text)} characters")
        for position, character in enumerate(plain, 1):
            if character not in DIGITS and character not in MARKS:
                raise PydanticCustomError("line", f"{rule}; character {position} is neither")
        if not any(character in DIGITS for character in plain):
            raise PydanticCustomError("line", f"{rule}, with at least one digit")
        return plain

    def describe(self) -> dict[str, Any]:
        """See `Constraint.describe`."""
        return {"minLength": 1, "maxLength": self.most}


def without_marks(text: str) -> str:
    """The digits of a number with `MARKS`."""
    return "".join(character for character in text if character not in MARKS)


def _plain(character: str) -> str:
    """A character as an ASCII digit or one of `MARKS`, if it stands for one."""
    if FULL_WIDTH[0] <= character <= FULL_WIDTH[1]:
        character = unicodedata.normalize("NFKC", character)
    if character.isspace():
        return " "
    digit = unicodedata.decimal(character, None)
    return SPELLED.get(character, character) if digit is None else str(digit)
