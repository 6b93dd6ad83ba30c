"""The fast path: `GET /generate?digits=...[&seed=...]` as PNG, the most frequent request.

The framework's routing and validation, and the layers around them, cost three times as much as
drawing four digits. So the connection recognises the plainest form of the request by one pattern,
and sends its answer as it is made here. Everything else, and everything that might be refused,
takes the ordinary route, which gives the same answer.
"""

import re

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
TARGET = re.compile(PATH.encode() + rb"\?digits=([0-9]{1,64})(?:&seed=([0-9]{1,10}))?")
PLAIN = GenerateQuery.model_validate({"digits": "0"})
SECURITY = header_lines(HEADERS)


def plain_query(target: bytes, headers: list[tuple[bytes, bytes]]) -> GenerateQuery | None:
    """The query of a GET that needs no further checks; None for every other.

    Args:
        target: of the request: path and query string.
        headers: of the request, with names in lower case.
    """
    match = TARGET.fullmatch(target)
    if match is None or not _takes_png(headers):
        return None
    digits, seed = match.groups()
    if seed is not None and int(seed) > MAX_SEED:
        return None
    values = {"digits": digits.decode("ascii"), "seed": None if seed is None else int(seed)}
    return PLAIN.model_copy(update=values)


class PlainAnswer:
    """The answer to a plain request: what is drawn, and the bytes around the drawing."""

    def __init__(self, service: Service, query: GenerateQuery) -> None:
        """The order, and the headers that belong to the model of this moment."""
        seed = chosen_seed(query.seed)
        self.order = Order(query, seed)
        self._headers = drawing_headers(service, query, seed, negotiated=True)
        if service.settings.cors_origins:
            self._headers["Vary"] += ", Origin"  # as Starlette's layer has it

    def response(self, content: bytes, request_id: str, own: bytes) -> bytes:
        """The complete HTTP/1.1 response.

        Args:
            content: the drawing as a file.
            request_id: of the request.
            own: lines of further headers.
        """
        headers = "".join([f"{name.lower()}: {text}\r\n" for name, text in self._headers.items()])
        head = (
            f"{headers}content-length: {len(content)}\r\ncontent-type: {MEDIA_TYPES['png']}\r\n"
            f"x-request-id: {request_id}\r\n"
        )
        return b"".join(
            (b"HTTP/1.1 200 OK\r\n", own, head.encode("latin-1"), SECURITY, b"\r\n", content)
        )


def _takes_png(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether the client accepts PNG and does not ask whether its own copy is still right."""
    accept = None
    for name, value in headers:
        if name == b"if-none-match":
            return False
        if name == b"accept":
            if accept is not None:
                return False
            accept = value.decode("latin-1")
    return drawing_format(accept) == "png"
