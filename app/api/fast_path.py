"""The answer of the fast path: `GET /generate?digits=...[&seed=...[&model=...]]` as PNG.

The framework's routing and validation, and the layers around them, cost three times as much as
drawing four digits. So the connection recognises the plainest form of the most frequent request,
see `app.server.plain_request`, and sends its answer as it is made here. Everything else, and
everything that might be refused, takes the ordinary route, which gives the same answer.
"""

from http import HTTPStatus

from app.api.caching import is_held
from app.api.headers import HEADERS, header_lines
from app.api.routes.generate import drawing_headers
from app.api.service import Service
from app.drawing.encoding import MEDIA_TYPES
from app.drawing.renderer import Order
from app.request.fields import chosen_seed
from app.request.schemas import GenerateQuery

SECURITY = header_lines(HEADERS)
NOT_MODIFIED = f"HTTP/1.1 304 {HTTPStatus.NOT_MODIFIED.phrase}\r\n".encode()


class PlainAnswer:
    """The answer to a plain request: what is drawn, and the bytes around the drawing."""

    def __init__(self, service: Service, query: GenerateQuery, if_none_match: str | None) -> None:
        """The order, and the headers that belong to the model of this moment.

        Args:
            service: what draws.
            query: of the request.
            if_none_match: that header of the request.
        """
        seed = chosen_seed(query.seed)
        self.order = Order(query, seed)
        self._headers = drawing_headers(service, query, seed, negotiated=True)
        self.is_held = is_held(if_none_match, self._headers)  # no drawing is needed
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
