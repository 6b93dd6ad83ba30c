"""The fast path: `GET /generate?digits=...[&seed=...[&model=...]]` as PNG, the usual request.

The framework's routing and validation, and the layers around them, cost three times as much as
drawing four digits. So the connection recognises the plainest form of the request by one pattern,
and sends its answer as it is made here. Everything else, and everything that might be refused,
takes the ordinary route, which gives the same answer.
"""

import re
from http import HTTPStatus
from typing import NamedTuple

from app.api.caching import is_held
from app.api.headers import HEADERS, header_lines
from app.api.negotiation import drawing_format
from app.api.routes.generate import drawing_headers
from app.api.service import Service
from app.drawing.encoding import MEDIA_TYPES
from app.drawing.renderer import Order
from app.request.fields import chosen_seed
from app.request.schemas import GenerateQuery
from model.noise import MAX_SEED

PATH = "/generate"
TARGET = re.compile(
    PATH.encode() + rb"\?digits=([0-9]{1,64})(?:&seed=([0-9]{1,10})(?:&model=([0-9a-f]{16}))?)?"
)
PLAIN = GenerateQuery.model_validate({"digits": "0"})
SECURITY = header_lines(HEADERS)
NOT_MODIFIED = f"HTTP/1.1 304 {HTTPStatus.NOT_MODIFIED.phrase}\r\n".encode()


class PlainRequest(NamedTuple):
    """A GET that needs no further checks but that of its key and of the model that it names."""

    query: GenerateQuery
    if_none_match: str | None


def plain_request(target: bytes, headers: list[tuple[bytes, bytes]]) -> PlainRequest | None:
    """What a GET asks for, if it is plain; None for every other.

    Args:
        target: of the request: path and query string.
        headers: of the request, with names in lower case.
    """
    match = TARGET.fullmatch(target)
    if match is None:
        return None
    accept = if_none_match = None
    for name, value in headers:
        if name == b"accept":
            if accept is not None:
                return None
            accept = value.decode("latin-1")
        elif name == b"if-none-match":
            if if_none_match is not None:
                return None
            if_none_match = value.decode("latin-1")
    digits, seed, model = match.groups()
    if drawing_format(accept) != "png" or (seed is not None and int(seed) > MAX_SEED):
        return None
    values = {
        "line": digits.decode("ascii"),
        "seed": None if seed is None else int(seed),
        "model": None if model is None else model.decode("ascii"),
    }
    return PlainRequest(PLAIN.model_copy(update=values), if_none_match)


class PlainAnswer:
    """The answer to a plain request: what is drawn, and the bytes around the drawing."""

    def __init__(self, service: Service, request: PlainRequest) -> None:
        """The order, and the headers that belong to the model of this moment."""
        query = request.query
        seed = chosen_seed(query.seed)
        self.order = Order(query, seed)
        self._headers = drawing_headers(service, query, seed, negotiated=True)
        self.is_held = is_held(request.if_none_match, self._headers)  # no drawing is needed
        if service.settings.cors_origins:
            self._headers["Vary"] += ", Origin"  # as Starlette's layer has it

    def response(self, content: bytes, request_id: str, own: bytes) -> bytes:
        """The complete HTTP/1.1 response.

        Args:
            content: the drawing as a file.
            request_id: of the request.
            own: lines of further headers.
        """
        size = f"content-length: {len(content)}\r\ncontent-type: {MEDIA_TYPES['png']}\r\n"
        head = self._head(request_id, size)
        return b"".join((b"HTTP/1.1 200 OK\r\n", own, head, SECURITY, b"\r\n", content))

    def not_modified(self, request_id: str, own: bytes) -> bytes:
        """The complete HTTP/1.1 response to a client that has the drawing already."""
        return b"".join((NOT_MODIFIED, own, self._head(request_id), SECURITY, b"\r\n"))

    def _head(self, request_id: str, size: str = "") -> bytes:
        lines = "".join([f"{name.lower()}: {text}\r\n" for name, text in self._headers.items()])
        return f"{lines}{size}x-request-id: {request_id}\r\n".encode("latin-1")
