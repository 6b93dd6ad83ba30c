"""The kinds of parameters: how their text is checked, and how OpenAPI describes it.

pydantic's own parsing is more lenient than the contract: it takes `1_0`, `1.0` and ` 1` for
whole numbers.
"""

import re
from dataclasses import dataclass
from typing import Any, NoReturn

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

INTEGER = re.compile(r"-?[0-9]{1,10}")
DECIMAL = re.compile(r"-?[0-9]{1,4}(\.[0-9]{1,9})?")
COLOUR = re.compile(r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
FULL_COLOUR = 6  # hex digits
HASH = re.compile(r"[0-9a-f]{16}")
TOKEN = re.compile(r"[A-Za-z0-9_=-]*")


def spelled(value: float) -> str:
    """A number as text that is read back as the same: str() of a small float has an exponent."""
    return f"{value:.9f}".rstrip("0").rstrip(".")


class Constraint:
    """What the text of a parameter must be. Used in `Annotated`, beside the parameter's type."""

    def check(self, text: str) -> object:
        """The value that a text stands for.

        Raises:
            PydanticCustomError: with the rest of a sentence about the parameter.
        """
        raise NotImplementedError

    def describe(self) -> dict[str, Any]:
        """The limits in the words of JSON Schema."""
        raise NotImplementedError

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        described = handler(schema)
        # A query string cannot say null: an optional parameter has its other type.
        choices = [choice for choice in described.pop("anyOf", []) if choice != {"type": "null"}]
        return {**described, **(choices[0] if choices else {}), **self.describe()}


@dataclass(frozen=True)
class Integer(Constraint):
    """An integer from `low` to `high`."""

    low: int
    high: int

    def check(self, text: str) -> int:
        """See `Constraint.check`."""
        if INTEGER.fullmatch(text) and self.low <= int(text) <= self.high:
            return int(text)
        raise PydanticCustomError("integer", f"must be an integer from {self.low} to {self.high}")

    def describe(self) -> dict[str, Any]:
        """See `Constraint.describe`."""
        return {"minimum": self.low, "maximum": self.high}


@dataclass(frozen=True)
class Decimal(Constraint):
    """A number from `low` to `high` with at most 9 decimals and no exponent."""

    low: float
    high: float

    def check(self, text: str) -> float:
        """See `Constraint.check`."""
        if DECIMAL.fullmatch(text):
            number = float(text) + 0.0  # turns -0 into 0
            if self.low <= number <= self.high:
                return number
        raise PydanticCustomError("decimal", f"must be a number from {self.low:g} to {self.high:g}")

    def describe(self) -> dict[str, Any]:
        """See `Constraint.describe`."""
        return {"minimum": self.low, "maximum": self.high}


@dataclass(frozen=True)
class Colour(Constraint):
    """A colour of 3 or 6 hex digits, kept as 6 in lower case; or the `word`, if there is one."""

    word: str = ""

    def check(self, text: str) -> str:
        """See `Constraint.check`."""
        if text == self.word and self.word:
            return text
        if not COLOUR.fullmatch(text):
            other = f", or {self.word}" if self.word else ""
            raise PydanticCustomError(
                "colour", f"must be a colour of 3 or 6 hex digits, such as 1a2b3c{other}"
            )
        digits = text.removeprefix("#").lower()
        return digits if len(digits) == FULL_COLOUR else "".join(2 * digit for digit in digits)

    def describe(self) -> dict[str, Any]:
        """See `Constraint.describe`."""
        choices = "|".join(["#?[0-9a-fA-F]{3}", "#?[0-9a-fA-F]{6}", *filter(None, [self.word])])
        return {"pattern": f"^({choices})$"}


@dataclass(frozen=True)
class Hash(Constraint):
    """The name of a model, see `model.checkpoint.Checkpoint.model_hash`."""

    def check(self, text: str) -> str:
        """See `Constraint.check`."""
        if HASH.fullmatch(text):
            return text
        raise PydanticCustomError("hash", "must be 16 hex digits in lower case")

    def describe(self) -> dict[str, Any]:
        """See `Constraint.describe`."""
        return {"pattern": f"^{HASH.pattern}$"}


@dataclass(frozen=True)
class Token(Constraint):
    """Base64 text that is safe in an address, of at most `most` characters."""

    most: int

    def check(self, text: str) -> str:
        """See `Constraint.check`."""
        if len(text) > self.most:
            raise PydanticCustomError("token", f"must have at most {self.most} characters")
        if not TOKEN.fullmatch(text):
            raise PydanticCustomError("token", "is not a style token from /restyle")
        return text

    def describe(self) -> dict[str, Any]:
        """See `Constraint.describe`."""
        return {"maxLength": self.most}


@dataclass(frozen=True)
class Frequencies(Constraint):
    """A word of `words`, or how often each label comes: a weight for each, with commas between.

    Attributes:
        words: that have a meaning of their own.
        labels: K.
        what: the weights, for use in a sentence.
    """

    words: tuple[str, ...]
    labels: int = 10
    what: str = "ten weights of the digits 0-9"

    def check(self, text: str) -> str:
        """See `Constraint.check`. The text stays as it is; `weights` reads it."""
        if text in self.words:
            return text
        weights = text.split(",")
        if len(weights) != self.labels or not all(DECIMAL.fullmatch(weight) for weight in weights):
            self._refuse()
        if any(float(weight) < 0 for weight in weights) or not any(map(float, weights)):
            self._refuse()
        return text

    def describe(self) -> dict[str, Any]:
        """See `Constraint.describe`."""
        weight = r"[0-9]{1,4}(\.[0-9]{1,9})?"
        return {"pattern": f"^({'|'.join(self.words)}|{weight}(,{weight}){{{self.labels - 1}}})$"}

    def _refuse(self) -> NoReturn:
        raise PydanticCustomError(
            "frequencies",
            f"must be {', '.join(self.words)}, or {self.what} with commas between "
            "them, at least one above 0",
        )
