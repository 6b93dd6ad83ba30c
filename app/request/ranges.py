"""Parameters that are two numbers: ranges and sizes."""

import re
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

from app.request.parameter import Constraint, Decimal, Integer, spelled

SIZE = re.compile(r"([0-9]{1,4})x([0-9]{1,4})")


class Range(str):
    """The numbers from `low` to `high`, both included; one number where they are equal.

    It is the text that a query has for it, so FastAPI and OpenAPI take it as text.
    """

    low: float
    high: float

    def __new__(cls, low: float, high: float) -> "Range":
        """The range with these ends."""
        text = spelled(low) if low == high else f"{spelled(low)}-{spelled(high)}"
        made = super().__new__(cls, text)
        made.low, made.high = low, high
        return made

    def __getnewargs__(self) -> tuple[float, float]:  # type: ignore[override]
        return self.low, self.high  # for copies in another process

    @property
    def fixed(self) -> bool:
        """Whether it is one number."""
        return self.low == self.high

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        text = core_schema.to_string_ser_schema()
        return core_schema.is_instance_schema(cls, serialization=text)


@dataclass(frozen=True)
class Size:
    """Height and width of a picture, in pixels."""

    height: int
    width: int

    def __str__(self) -> str:
        return f"{self.height}x{self.width}"


class Spelled(Constraint):
    """What the text of an object must be, whose str() is that text."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.check,
            json_schema_input_schema=core_schema.str_schema(),
            serialization=core_schema.to_string_ser_schema(when_used="unless-none"),
        )


@dataclass(frozen=True)
class RangeOf(Spelled):
    """One number of a kind, or two with a hyphen between: the ends of a range."""

    kind: Integer | Decimal

    def check(self, text: str) -> Range:
        """See `Constraint.check`."""
        hyphen = text.find("-", 1)  # a minus may be the first character
        ends = [text] if hyphen < 0 else [text[:hyphen], text[hyphen + 1 :]]
        try:
            low, high = self.kind.check(ends[0]), self.kind.check(ends[-1])
        except PydanticCustomError as error:
            sentence = f"{error.message()}, or a range such as {self._example()}"
            raise PydanticCustomError("range", sentence) from None
        if low > high:
            raise PydanticCustomError("range", "must have the lower end of its range first")
        return Range(low, high)

    def describe(self) -> dict[str, Any]:
        """See `Constraint.describe`."""
        number = r"-?[0-9]{1,4}" + ("" if isinstance(self.kind, Integer) else r"(\.[0-9]{1,9})?")
        return {"pattern": f"^{number}(-{number})?$"}

    def _example(self) -> str:
        return f"{self.kind.low:g}-{self.kind.high:g}"


@dataclass(frozen=True)
class SizeOf(Spelled):
    """Height x width of a picture, each from 1 to `most` pixels."""

    most: int

    def check(self, text: str) -> Size:
        """See `Constraint.check`."""
        found = SIZE.fullmatch(text)
        sides = [int(side) for side in found.groups()] if found else []
        if not sides or not all(1 <= side <= self.most for side in sides):
            raise PydanticCustomError(
                "size",
                f"must be height x width in pixels, such as 32x128, each from 1 to {self.most}",
            )
        return Size(*sides)

    def describe(self) -> dict[str, Any]:
        """See `Constraint.describe`."""
        return {"pattern": "^[0-9]{1,4}x[0-9]{1,4}$"}
