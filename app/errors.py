"""One error body for every failure: RFC 9457 problem details."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException


class FieldError(BaseModel):
    """What is wrong with one parameter."""

    field: Annotated[str, Field(examples=["digits"])]
    message: Annotated[str, Field(examples=["must be 1 to 64 of the digits 0-9"])]


class Problem(BaseModel):
    """The body of every error, `application/problem+json`. Never repeats the input."""

    type: Annotated[str, Field(examples=["about:blank"])] = "about:blank"
    title: Annotated[str, Field(examples=["Unprocessable Content"])]
    status: Annotated[int, Field(examples=[422])]
    detail: Annotated[str, Field(examples=["digits must be 1 to 64 of the digits 0-9."])]
    request_id: Annotated[str, Field(examples=["3f1c9a52d07be684"])]
    errors: Annotated[list[FieldError], Field(description="filled for 422")] = []


class InvalidRequest(Exception):
    """A request that breaks the contract, answered with 422."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__("; ".join(f"{error.field} {error.message}" for error in errors))
        self.errors = errors


def problem_response(
    request_id: str,
    status: int,
    detail: str,
    errors: list[FieldError] | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """An error as a response.

    Args:
        request_id: of the request that failed.
        status: HTTP status, 4xx or 5xx.
        detail: one full sentence.
        errors: for 422, one entry for each parameter at fault.
        headers: additional headers, such as Allow or Retry-After.
    """
    problem = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        request_id=request_id,
        errors=errors or [],
    )
    return JSONResponse(
        problem.model_dump(),
        status,
        {"Cache-Control": "no-store", **(headers or {})},
        media_type="application/problem+json",
    )


async def answer_invalid_request(request: Request, error: Exception) -> JSONResponse:
    """422 for a request that breaks the contract."""
    assert isinstance(error, InvalidRequest)
    return problem_response(request.scope["request_id"], 422, f"{error}.", error.errors)


async def answer_http_exception(request: Request, error: Exception) -> JSONResponse:
    """The framework's own refusals (404, 405) in the one error body."""
    assert isinstance(error, HTTPException)
    details = {
        404: "There is nothing at this address; see /docs for what there is.",
        405: "This address does not take this method; the Allow header names those it takes.",
    }
    return problem_response(
        request.scope["request_id"],
        error.status_code,
        details.get(error.status_code, f"{error.detail}."),
        headers=dict(error.headers or {}),
    )
