"""The one body of all errors: RFC 9457 problem details. Never repeats the input."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated

from fastapi.responses import Response
from pydantic import BaseModel, Field

from app.api.headers import HEADERS, header_lines
from app.request.error import FieldError

MEDIA_TYPE = "application/problem+json"
# Where Python has none, or has had another name in some version.
TITLES = {
    413: "Content Too Large",
    414: "URI Too Long",
    422: "Unprocessable Content",
    499: "Client Closed Request",
}


class Problem(BaseModel):
    """The body of every error, `application/problem+json`."""

    type: Annotated[str, Field(examples=["about:blank"])] = "about:blank"
    title: Annotated[str, Field(examples=["Unprocessable Content"])]
    status: Annotated[int, Field(examples=[422])]
    detail: Annotated[str, Field(examples=["digits must be 1 to 64 of the digits 0-9."])]
    request_id: Annotated[str, Field(examples=["3f1c9a52d07be684"])]
    errors: Annotated[
        list[FieldError],
        Field(description="One per parameter, or for the picture."),
    ] = []


def title_of(status: int) -> str:
    """What an HTTP status is called, the same in every version of Python."""
    return TITLES.get(status) or HTTPStatus(status).phrase


def problem_response(
    request_id: str,
    status: int,
    detail: str,
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An error as a response.

    Args:
        request_id: of the request that failed.
        status: HTTP status, 4xx or 5xx.
        detail: one full sentence.
        errors: for 422, one entry for each parameter at fault.
        headers: additional headers, such as Allow or Retry-After.
    """
    problem = {
        "type": "about:blank",
        "title": title_of(status),
        "status": status,
        "detail": detail,
        "request_id": request_id,
        "errors": [error.model_dump(exclude_none=True) for error in errors],
    }
    body = json.dumps(problem, ensure_ascii=False, separators=(",", ":"))
    return Response(body, status, {"Cache-Control": "no-store", **(headers or {})}, MEDIA_TYPE)


def problem_bytes(request_id: str, status: int, detail: str, *own: tuple[bytes, bytes]) -> bytes:
    """An error as a complete HTTP/1.1 response, for connections that no application answers.

    Args:
        request_id: of the request that failed.
        status: HTTP status, 4xx or 5xx.
        detail: one full sentence.
        own: additional headers.
    """
    response = problem_response(request_id, status, detail)
    pairs = [*response.raw_headers, *own, *HEADERS, (b"x-request-id", request_id.encode())]
    first = f"HTTP/1.1 {status} {title_of(status)}\r\n".encode()
    return first + header_lines(pairs) + b"\r\n" + bytes(response.body)
