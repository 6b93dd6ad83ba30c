"""The one base class of errors that a client is told about, and why they happen."""

from collections.abc import Sequence
from enum import Enum
from typing import Annotated, Literal

from pydantic import BaseModel, Field


class Reason(Enum):
    """Why a request is refused. Each way to tell it, such as HTTP, has its own code for each."""

    INVALID = "a parameter or the upload breaks the contract"
    UNAUTHORIZED = "a key is needed"
    NOT_ACCEPTABLE = "the client takes none of the formats"
    TOO_SLOW = "the upload did not arrive in time"
    TOO_LARGE = "the upload is too large"
    UNSUPPORTED_TYPE = "the upload is not a picture of a supported type"
    OVERLOADED = "too much work is waiting"
    CLIENT_GONE = "the client closed its connection"


class RequestError(Exception):
    """A request that cannot be answered; the message is one full sentence for the client."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


PICTURE = "image"  # the field of an uploaded picture
PictureFault = Literal["no_ink", "no_digit", "several_digits"]


class FieldError(BaseModel):
    """What is wrong with one parameter, or with an uploaded picture."""

    field: Annotated[str, Field(examples=["digits"])]
    message: Annotated[str, Field(examples=["must be 1 to 64 of the digits 0-9"])]
    code: Annotated[
        PictureFault | None,
        Field(description="What a picture shows instead of one digit; for parameters, left out."),
    ] = None


class InvalidRequest(RequestError):
    """A request whose parameters break the contract; lists each parameter at fault."""

    def __init__(self, errors: Sequence[FieldError], sentence: str | None = None) -> None:
        listed = "; ".join(f"{error.field} {error.message}" for error in errors)
        super().__init__(Reason.INVALID, sentence or f"{listed}.")
        self.errors = list(errors)


def invalid(field: str, message: str) -> InvalidRequest:
    """The error of a single parameter: `field` as the client names it, and what is wrong."""
    return InvalidRequest([FieldError(field=field, message=message)])
