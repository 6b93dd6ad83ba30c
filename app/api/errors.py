"""One error body for every failure: RFC 9457 problem details."""

from http import HTTPStatus
from typing import Annotated

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from app.overload.pool import RETRY_AFTER_S, ClientGone, Overloaded
from app.api.headers import HEADERS

CLIENT_GONE = 499  # nobody reads it; the usual number for it in logs


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


class NotAcceptable(Exception):
    """A client that takes none of the formats there are, answered with 406."""

    def __init__(self, media_types: list[str]) -> None:
        super().__init__(
            f"The Accept header takes none of {', '.join(media_types)}; name one of them, or "
            "choose by the parameter format"
        )


class Refused(Exception):
    """An upload that cannot be used, answered with its status and its sentence."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class Unauthorized(Exception):
    """A drawing that was asked for without a key that may, answered with 401."""


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


def problem_bytes(request_id: str, status: int, detail: str, *own: tuple[bytes, bytes]) -> bytes:
    """An error as it goes over the wire, for where no application answers: all of HTTP/1.1.

    Args:
        request_id: of the request that failed.
        status: HTTP status, 4xx or 5xx.
        detail: one full sentence.
        own: additional headers.
    """
    response = problem_response(request_id, status, detail)
    pairs = [*response.raw_headers, *own, *HEADERS, (b"x-request-id", request_id.encode())]
    lines = b"".join(b"%b: %b\r\n" % pair for pair in pairs)
    first = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()
    return first + lines + b"\r\n" + bytes(response.body)


async def answer_invalid_request(request: Request, error: Exception) -> JSONResponse:
    """422 for a request that breaks the contract."""
    assert isinstance(error, InvalidRequest)
    return problem_response(request.scope["request_id"], 422, f"{error}.", error.errors)


async def answer_not_acceptable(request: Request, error: Exception) -> JSONResponse:
    """406 for a client that takes none of the formats."""
    return problem_response(request.scope["request_id"], 406, f"{error}.")


async def answer_overloaded(request: Request, _: Exception) -> JSONResponse:
    """503 for heavy work that finds no place."""
    detail = f"Too much heavy work is waiting here; come back in {RETRY_AFTER_S} s."
    return problem_response(
        request.scope["request_id"], 503, detail, headers={"Retry-After": str(RETRY_AFTER_S)}
    )


async def answer_unauthorized(request: Request, _: Exception) -> JSONResponse:
    """401 for who has no key."""
    detail = "Drawing needs a key here; send it as the header X-API-Key or as a bearer token."
    return problem_response(
        request.scope["request_id"],
        401,
        detail,
        headers={"WWW-Authenticate": 'Bearer realm="cvae-digits"'},
    )


async def answer_nobody(_: Request, __: Exception) -> Response:
    """Nothing, for a client that is gone."""
    return Response(status_code=CLIENT_GONE)


async def answer_refused(request: Request, error: Exception) -> JSONResponse:
    """4xx for an upload that cannot be used."""
    assert isinstance(error, Refused)
    return problem_response(request.scope["request_id"], error.status, str(error))


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


def handle_errors(app: FastAPI) -> None:
    """Register an answer for every error that has one."""
    app.add_exception_handler(InvalidRequest, answer_invalid_request)
    app.add_exception_handler(NotAcceptable, answer_not_acceptable)
    app.add_exception_handler(Refused, answer_refused)
    app.add_exception_handler(Overloaded, answer_overloaded)
    app.add_exception_handler(Unauthorized, answer_unauthorized)
    app.add_exception_handler(ClientGone, answer_nobody)
    app.add_exception_handler(HTTPException, answer_http_exception)
