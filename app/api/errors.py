"""Exceptions as responses: the status of each reason, and the framework's own refusals."""

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from app.api.problem import problem_response
from app.overload import RETRY_AFTER_S
from app.request.error import InvalidRequest, Reason, RequestError

STATUSES = {
    Reason.INVALID: 422,
    Reason.UNAUTHORIZED: 401,
    Reason.NOT_ACCEPTABLE: 406,
    Reason.TOO_SLOW: 408,
    Reason.TOO_LARGE: 413,
    Reason.UNSUPPORTED_TYPE: 415,
    Reason.CLIENT_GONE: 499,  # what nginx logs for a client that left; nobody receives it
    Reason.OVERLOADED: 503,
}
HEADERS = {
    Reason.UNAUTHORIZED: {"WWW-Authenticate": 'Bearer realm="cvae-digits"'},
    Reason.OVERLOADED: {"Retry-After": str(RETRY_AFTER_S)},
}
DETAILS = {
    404: "There is nothing at this address; see /docs for what there is.",
    405: "This address does not take this method; the Allow header names those it takes.",
}


def error_response(request_id: str, error: RequestError) -> Response:
    """The response to a request that cannot be answered."""
    fields = error.errors if isinstance(error, InvalidRequest) else ()
    status, headers = STATUSES[error.reason], HEADERS.get(error.reason)
    return problem_response(request_id, status, str(error), fields, headers)


def handle_errors(app: FastAPI) -> None:
    """Register how `RequestError` and the refusals of the framework are answered."""
    app.add_exception_handler(RequestError, _answer_request_error)
    app.add_exception_handler(HTTPException, _answer_http_exception)


async def _answer_request_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)
    return error_response(request.state.request_id, error)


async def _answer_http_exception(request: Request, error: Exception) -> Response:
    """The framework's own refusals (404, 405) in the one error body."""
    assert isinstance(error, HTTPException)
    detail = DETAILS.get(error.status_code, f"{error.detail}.")
    headers = error.headers
    if headers is not None and headers.get("Allow") == "GET":
        headers = {**headers, "Allow": "GET, HEAD"}  # see `Boundary`
    return problem_response(request.state.request_id, error.status_code, detail, headers=headers)
