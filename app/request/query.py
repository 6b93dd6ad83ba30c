"""Reading a query string strictly, and describing it to OpenAPI. Knows no particular endpoint."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
)
from pydantic_core import PydanticCustomError, core_schema

from app.api.errors import FieldError, InvalidRequest

WHOLE = re.compile(r"-?[0-9]{1,10}")
DECIMAL = re.compile(r"-?[0-9]{1,4}(\.[0-9]{1,9})?")
COLOUR = re.compile(r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})")


class Query(BaseModel):
    """A query string. An unknown or repeated parameter is refused, never silently ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def parse(cls, query_string: bytes) -> Self:
        """Read and check the query string of a request.

        Raises:
            InvalidRequest: with one entry for each parameter at fault.
        """
        text = query_string.decode("latin-1")
        values: dict[str, str] = {}
        for name, value in parse_qsl(text, keep_blank_values=True, errors="replace"):
            if name in values:
                raise InvalidRequest([FieldError(field=cls._known(name), message="is given twice")])
            values[name] = value
        return cls.check(values)

    @classmethod
    def check(cls, values: Mapping[str, str]) -> Self:
        """Check parameters by name.

        Raises:
            InvalidRequest: with one entry for each parameter at fault.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise InvalidRequest(cls._field_errors(error)) from None

    def canonical(self) -> str:
        """The shortest query string that says the same: no defaults, one order, one spelling."""
        chosen = {
            cls_field.alias or name: _written(getattr(self, name))
            for name, cls_field in type(self).model_fields.items()
            if getattr(self, name) != cls_field.default
        }
        return urlencode(chosen)

    @classmethod
    def openapi_parameters(cls) -> list[dict[str, Any]]:
        """The parameters as OpenAPI describes them."""
        schema = cls.model_json_schema()
        return [
            {
                "name": name,
                "in": "query",
                "required": name in schema.get("required", []),
                "description": described.pop("description"),
                **({"example": described.pop("examples")[0]} if "examples" in described else {}),
                "schema": _without_null(described),
            }
            for name, described in schema["properties"].items()
        ]

    @classmethod
    @cache
    def names(cls) -> dict[str, str]:
        """Parameter name -> field name."""
        return {field.alias or name: name for name, field in cls.model_fields.items()}

    @classmethod
    def _known(cls, name: object) -> str:
        """The name if it is one of ours: what a client made up is not repeated to it."""
        return str(name) if name in cls.names() else "query"

    @classmethod
    def _field_errors(cls, error: ValidationError) -> list[FieldError]:
        found: list[FieldError] = []
        for item in error.errors(include_url=False, include_input=False):
            if item["type"] == "fault":  # of the query as a whole, says its field itself
                found.append(FieldError(**item["ctx"]))
                continue
            if item["type"] == "extra_forbidden" and found and found[-1].field == "query":
                continue  # said once: an answer must not grow with what a client makes up
            sentences = {
                "missing": "is required",
                "extra_forbidden": "has a parameter that is not known here; known are "
                + ", ".join(cls.names()),
                "string_unicode": "must be text",
            }
            if item["type"] == "string_too_long":
                most = item["ctx"]["max_length"]
                sentences["string_too_long"] = f"must have at most {most} characters"
            if item["type"] == "literal_error":
                sentences["literal_error"] = "must be " + item["ctx"]["expected"].replace("'", "")
            message = sentences.get(item["type"], item["msg"])
            found.append(FieldError(field=cls._known(item["loc"][0]), message=message))
        return found


def _written(value: object) -> object:
    """A value as `parse` reads it: str() of a small float would have an exponent."""
    return f"{value:.9f}".rstrip("0").rstrip(".") if isinstance(value, float) else value


def fault(field: str, message: str) -> PydanticCustomError:
    """What a check over several parameters raises: `message` is about `field`."""
    return PydanticCustomError("fault", "{message}", {"field": field, "message": message})


def _without_null(described: dict[str, Any]) -> dict[str, Any]:
    """A query string cannot say null: a parameter that may be left out has its other type."""
    described.pop("title", None)
    choices = described.pop("anyOf", [])
    for choice in choices:
        described.update(choice if choice["type"] != "null" else {})
    if choices and described.get("default") is None:
        described.pop("default", None)
    return described


class Marker:
    """What a parameter's text must be, checked before it gets its type; used in Annotated."""

    def check(self, value: object) -> object:
        """The value of a text.

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
        return {**handler(schema), **self.describe()}


@dataclass(frozen=True)
class Whole(Marker):
    """A whole number from `low` to `high`."""

    low: int
    high: int

    def check(self, value: object) -> int:
        """See `Marker.check`."""
        if isinstance(value, str) and WHOLE.fullmatch(value):
            number = int(value)
            if self.low <= number <= self.high:
                return number
        raise PydanticCustomError("whole", f"must be a whole number from {self.low} to {self.high}")

    def describe(self) -> dict[str, Any]:
        """See `Marker.describe`."""
        return {"minimum": self.low, "maximum": self.high}


@dataclass(frozen=True)
class Decimal(Marker):
    """A number from `low` to `high`, written with at most 9 decimals."""

    low: float
    high: float

    def check(self, value: object) -> float:
        """See `Marker.check`."""
        if isinstance(value, str) and DECIMAL.fullmatch(value):
            number = float(value) + 0.0  # -0 is 0
            if self.low <= number <= self.high:
                return number
        raise PydanticCustomError("decimal", f"must be a number from {self.low:g} to {self.high:g}")

    def describe(self) -> dict[str, Any]:
        """See `Marker.describe`."""
        return {"minimum": self.low, "maximum": self.high}


@dataclass(frozen=True)
class Digits(Marker):
    """One to `most` ASCII digits, kept as text. str.isdigit() would take other scripts too."""

    most: int

    def check(self, value: object) -> str:
        """See `Marker.check`."""
        text = str(value)
        if 1 <= len(text) <= self.most and text.isascii() and text.isdigit():
            return text
        found = _found(text, self.most)
        raise PydanticCustomError("digits", f"must be 1 to {self.most} of the digits 0-9; {found}")

    def describe(self) -> dict[str, Any]:
        """See `Marker.describe`."""
        return {"pattern": f"^[0-9]{{1,{self.most}}}$"}


@dataclass(frozen=True)
class Colour(Marker):
    """A colour of 3 or 6 hex digits, kept as 6 in lower case, or the `word`."""

    word: str = ""

    def check(self, value: object) -> str:
        """See `Marker.check`."""
        if value == self.word and self.word:
            return self.word
        if not isinstance(value, str) or not COLOUR.fullmatch(value):
            other = f", or {self.word}" if self.word else ""
            raise PydanticCustomError(
                "colour", f"must be a colour of 3 or 6 hex digits, such as 1a2b3c{other}"
            )
        digits = value.removeprefix("#").lower()
        return digits if len(digits) == 6 else "".join(2 * digit for digit in digits)

    def describe(self) -> dict[str, Any]:
        """See `Marker.describe`."""
        choices = "|".join(["#?[0-9a-fA-F]{3}", "#?[0-9a-fA-F]{6}", *filter(None, [self.word])])
        return {"pattern": f"^({choices})$"}


def _found(value: str, most: int) -> str:
    """What is wrong with a text that should be digits, without repeating it."""
    if not value:
        return "found none"
    if len(value) > most:
        return f"found {len(value)} characters"
    place = next(index for index, sign in enumerate(value, start=1) if sign not in "0123456789")
    return f"character {place} is none of them"
