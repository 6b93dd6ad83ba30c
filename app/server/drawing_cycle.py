"""One plain request on the fast path, from its head to the last byte of its answer."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from time import perf_counter

from app.api.boundary import CLOSE, FAILED, log, request_ids
from app.api.fast_path import PlainAnswer
from app.api.headers import header_lines
from app.api.problem import problem_bytes
from app.api.service import Service
from app.server.plain_request import PATH, PlainRequest
from app.telemetry.middleware import CLIENT_GONE


class DrawingCycle:
    """Stands in the place of uvicorn's `RequestResponseCycle`, whose public names it has.

    Receives its drawing from the micro-batcher. Does for its request what the layers do for
    others: request id, counting, the line in the log, a last resort for errors.
    """

    message_event = asyncio.Event()  # set by uvicorn when the client has gone; nothing waits for it
    disconnected = response_complete = False

    def __init__(
        self,
        service: Service,
        request: PlainRequest,
        transport: asyncio.Transport,
        default_headers: list[tuple[bytes, bytes]],
        on_response: Callable[[], None],
    ) -> None:
        """A request whose head has arrived, and which has no body.

        Args:
            service: what draws.
            request: what the client asks for.
            transport: to the client.
            default_headers: of every answer of the server.
            on_response: called when the request is answered.
        """
        query, headers = request
        self.keep_alive = headers.keep_alive
        self._service, self._transport = service, transport
        self._answer = PlainAnswer(service, query, headers.if_none_match)
        self._batcher = service.batcher
        self._default_headers, self._on_response = default_headers, on_response
        self._request_id = f"{next(request_ids):016x}"
        self._began = perf_counter()
        service.counters.begin()

    def begin(self, _turn: object = None) -> None:
        """Order the drawing, where one is needed: it is the turn of this request."""
        if self._transport.is_closing():
            self._end(CLIENT_GONE, b"", 0)
        elif self._answer.is_held:
            response = self._answer.not_modified(self._request_id, header_lines(self._own()))
            self._end(HTTPStatus.NOT_MODIFIED, response, 0)
        else:
            self._batcher.submit(self._answer.order, self)

    def done(self) -> bool:
        """Whether the drawing is not wanted any more, see `Receiver`."""
        return False

    def set_result(self, content: bytes) -> None:
        """Send the drawing."""
        response = self._answer.response(content, self._request_id, header_lines(self._own()))
        self._end(HTTPStatus.OK, response, len(content))

    def set_exception(self, error: Exception) -> None:
        """Log why the drawing failed, and send a 500."""
        log.error("request %s failed", self._request_id, exc_info=error)
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        response = problem_bytes(self._request_id, status, FAILED, *self._own())
        self._end(status, response, len(response.partition(b"\r\n\r\n")[2]))

    def _own(self) -> list[tuple[bytes, bytes]]:
        """The headers of the connection, not of the answer."""
        return self._default_headers if self.keep_alive else [*self._default_headers, CLOSE]

    def _end(self, status: int, response: bytes, size: int) -> None:
        if self._transport.is_closing():
            status, size = CLIENT_GONE, 0
        else:
            self._transport.write(response)
        self.response_complete = True
        seconds, service = perf_counter() - self._began, self._service
        index, route = service.counters.routes.find(PATH)
        service.counters.end(index, status, seconds, size)
        if service.access_log is not None:
            scope = {"method": "GET", "state": {"request_id": self._request_id}}
            service.access_log.write(scope, route, status, seconds, size)
        if not self.keep_alive:
            self._transport.close()
        self._on_response()
