"""What a request may say: typed queries with their limits, and how they appear in OpenAPI."""

import re
from typing import Annotated, Any, Self
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from app.errors import FieldError, InvalidRequest
from model.noise import MAX_SEED

MAX_DIGITS = 64
DIGITS = re.compile(rf"[0-9]{{1,{MAX_DIGITS}}}")  # ASCII only; str.isdigit() takes others too
SEED = re.compile(r"[0-9]{1,10}")


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
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise InvalidRequest(cls._field_errors(error)) from None

    @classmethod
    def openapi_parameters(cls) -> list[dict[str, Any]]:
        """The parameters as OpenAPI describes them."""
        schema = cls.model_json_schema()
        parameters = []
        for name, described in schema["properties"].items():
            described.pop("title", None)
            described.pop("default", None)  # a parameter left out has no value, not null
            # A query string cannot say null: the other type is what the parameter takes.
            for choice in described.pop("anyOf", []):
                described.update(choice if choice["type"] != "null" else {})
            parameters.append(
                {
                    "name": name,
                    "in": "query",
                    "required": name in schema.get("required", []),
                    "description": described.pop("description"),
                    "schema": described,
                }
            )
        return parameters

    @classmethod
    def _known(cls, name: object) -> str:
        """The name if it is one of ours: what a client made up is not repeated to it."""
        return str(name) if name in cls.model_fields else "query"

    @classmethod
    def _field_errors(cls, error: ValidationError) -> list[FieldError]:
        known = ", ".join(cls.model_fields)
        sentences = {
            "missing": "is required",
            "extra_forbidden": f"has a parameter that is not known here; known are {known}",
        }
        return [
            FieldError(
                field=cls._known(item["loc"][0]),
                message=sentences.get(item["type"], item["msg"]),
            )
            for item in error.errors(include_url=False, include_input=False)
        ]


class GenerateQuery(Query):
    """The query of `GET /generate`."""

    digits: Annotated[
        str,
        Field(
            description=f"What to write: 1 to {MAX_DIGITS} of the digits 0-9. "
            "Kept as text, so leading zeros stay.",
            examples=["2018"],
            json_schema_extra={"pattern": f"^{DIGITS.pattern}$"},
        ),
    ]
    seed: Annotated[
        int | None,
        Field(
            description="The same seed and parameters give the same bytes. "
            "Left out: drawn at random and returned in X-Seed.",
            examples=[7],
            json_schema_extra={
                "minimum": 0,
                "maximum": MAX_SEED,
            },
        ),
    ] = None

    @field_validator("digits", mode="before")
    @classmethod
    def _check_digits(cls, value: str) -> str:
        if DIGITS.fullmatch(value):
            return value
        raise PydanticCustomError(
            "digits",
            f"must be 1 to {MAX_DIGITS} of the digits 0-9; {{found}}",
            {"found": _found(value)},
        )

    @field_validator("seed", mode="before")
    @classmethod
    def _check_seed(cls, value: str) -> int:
        if SEED.fullmatch(value) and int(value) <= MAX_SEED:
            return int(value)
        raise PydanticCustomError(
            "seed", f"must be a whole number from 0 to {MAX_SEED}; leave it out for a random one"
        )


def _found(value: str) -> str:
    """What is wrong with a text that should be digits, without repeating it."""
    if not value:
        return "found none"
    if len(value) > MAX_DIGITS:
        return f"found {len(value)} characters"
    place = next(index for index, sign in enumerate(value, start=1) if sign not in "0123456789")
    return f"character {place} is none of them"
