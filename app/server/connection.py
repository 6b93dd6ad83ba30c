"""uvicorn's connection with the limits that it lacks, and the fast path.

Relies on undocumented names of uvicorn, as `app.server.worker` does:

- `ServerState`: `default_headers`
- `HttpToolsProtocol`: `data_received`, `on_message_begin`, `on_headers_complete`,
  `on_message_complete`, `on_response_complete`, `send_400_response`, `transport`, `server_state`,
  `_unsupported_upgrade_warning`, `_unset_keepalive_if_required`, `cycle`, `app_state`, `url`,
  `headers`, `scope`, `parser`, `flow`, `loop`, `timeout_keep_alive`,
  `timeout_keep_alive_handler`, `timeout_keep_alive_task`, `pipeline`
- `FlowControl`: `write_paused`, `pause_reading`, `resume_reading`
- `RequestResponseCycle`: `response_started`, `response_complete`, `keep_alive`, `disconnected`,
  `message_event`
"""

import asyncio
import secrets
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.api.boundary import CLOSE, request_ids
from app.api.overload_limit import ADMITTED
from app.api.problem import problem_bytes
from app.api.service import Service
from app.overload import RETRY_AFTER_S, Overloaded
from app.server.drawing_cycle import DrawingCycle
from app.server.head import TOO_LARGE, find_fault, is_large
from app.server.plain_request import (
    HEAD_END,
    PATH,
    SPECIAL_HEADERS,
    PlainRequest,
    may_draw,
    plain_request,
)
from app.server.progress import Progress
from app.telemetry.route import PROBES

MAX_REQUEST_BYTES = 2**27  # twice the largest upload that the settings allow
MAX_UNPARSED_BYTES = 2**20  # that arrive before they can be parsed; reading is paused long before
PIECE_BYTES = 2**12  # parsed at a time
HEAD_LIMIT_S = 10  # for the head of a request, from its first byte to its last

PROBE_PATHS = frozenset(path.encode() for path in PROBES)
SPECIAL_WITH_CORS = SPECIAL_HEADERS | {b"origin"}
PLACEHOLDER = "0" * 16
# The bytes of a refusal around its two request ids.
OVERLOADED = problem_bytes(
    PLACEHOLDER, 503, str(Overloaded()), (b"retry-after", b"%d" % RETRY_AFTER_S)
).split(PLACEHOLDER.encode())


class Connection(HttpToolsProtocol):
    """The connection of one client.

    Parses a request when those before it are answered: a client that pipelines many keeps nobody
    waiting. Bounds requests in size, and their heads in time. Answers plain requests itself, see
    `app.api.fast_path`. Under overload it also refuses GETs itself, for less than half of what a
    refusal by the application costs: refusing must not be slower than the load.
    """

    in_head = unfinished = False  # the request that arrives
    received = 0  # bytes of it, while it is unfinished
    answered_here = False  # the request that arrives: no application will see it
    ended = False  # no further request is read, and the connection closes
    final_response = b""  # sent before that, after the answers that are due
    slow: tuple[object, float] | None = None  # the request before an unfinished head; since when

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.service: Service = self.app_state["service"]
        cors = self.service.settings.cors_origins
        self._special = SPECIAL_WITH_CORS if cors else SPECIAL_HEADERS
        self._received, self._parsed = b"", 0  # bytes that have arrived; how many are parsed

    @property
    def idle(self) -> bool:
        """Whether every request that was parsed is answered."""
        return self.cycle is None or self.cycle.response_complete

    def data_received(self, data: bytes) -> None:
        """Bytes of the client have arrived."""
        if not self.ended:
            self._received = self._received[self._parsed :] + data if self._unparsed else data
            self._parsed = 0
            self._parse()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected."""
        super().connection_made(transport)
        self.progress = Progress(transport)

    def on_message_begin(self) -> None:
        """The first byte of a request has arrived."""
        super().on_message_begin()
        self.in_head = self.unfinished = True

    def on_headers_complete(self) -> None:
        """The last byte of a head has arrived."""
        self._check_size()
        self.in_head = False
        version, upgrade = self.parser.get_http_version(), self.parser.should_upgrade()
        if not self.ended and (fault := find_fault(self.url, self.headers, version, upgrade)):
            self._refuse(*fault)
        if self.ended:
            self.answered_here = True
        elif not (self.idle and self._asks_for_its_answer_only(version) and self._refuses()):
            super().on_headers_complete()
            if upgrade:  # which no answer here grants
                self.cycle.keep_alive = False
                self.ended = True

    def on_message_complete(self) -> None:
        """The last byte of a request has arrived."""
        self.unfinished, self.received = False, 0
        if self.answered_here:
            self.answered_here = False
        else:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """A request is answered."""
        super().on_response_complete()
        if self.ended and self.idle:
            self._close_with(self.final_response)
        elif self._unparsed and not self.ended:
            self.loop.call_soon(self._parse)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the input is not repeated
        """Refuse bytes that are not HTTP."""
        detail = "The bytes received are not an HTTP request; send one as RFC 9112 defines it."
        self._refuse(HTTPStatus.BAD_REQUEST, detail)

    def _unsupported_upgrade_warning(self) -> None:
        """Not a message for the log: a client may ask for anything."""

    def resume_writing(self) -> None:
        """The client has taken most of what was unsent."""
        super().resume_writing()
        self.progress.restart()

    @property
    def unsent(self) -> int:
        """Bytes that the client has not taken yet."""
        return self.transport.get_write_buffer_size()

    @property
    def stalled_s(self) -> float:
        """How long the client has taken too little, in seconds."""
        return self.progress.stalled_s(self.loop.time())

    def abort(self) -> None:
        """Drop unsent bytes, those in the buffer of the system too, and the connection."""
        self.progress.drop()
        self.transport.abort()

    def abort_if_stalled(self, now: float) -> None:
        """Drop the connection if the client has taken too little for the time of the settings.

        To be called once a second.

        Args:
            now: time of the event loop, in seconds.
        """
        self.progress.look(now)
        if self.progress.stalled_s(now) >= self.service.settings.stall_seconds:
            self.abort()

    def close_if_slow(self, now: float) -> None:
        """Close the connection if the head of a request is unfinished for `HEAD_LIMIT_S`.

        Args:
            now: time of the event loop, in seconds.
        """
        if not self.idle or self.timeout_keep_alive_task is not None:
            self.slow = None  # answering, or silent, which the keep-alive limit bounds
        elif self.slow is None or self.slow[0] is not self.cycle:
            self.slow = self.cycle, now
        elif now - self.slow[1] >= HEAD_LIMIT_S:
            self.transport.close()

    @property
    def _unparsed(self) -> int:
        return len(self._received) - self._parsed

    def _parse(self) -> None:
        """Parse what has arrived, up to the end of a request whose answer is due."""
        while self._unparsed and self._may_parse():
            piece = self._received[self._parsed : self._end_of_piece()]
            self._parsed += len(piece)
            self.received = len(piece) + (self.received if self.unfinished else 0)
            plain = None if self.unfinished else plain_request(piece)
            if plain is None or not self._answers(plain):
                super().data_received(piece)
            if self.unfinished:
                self._check_size()
        if self._unparsed:
            self.flow.pause_reading()  # until a request is answered
            if self._unparsed > MAX_UNPARSED_BYTES:
                self.transport.close()
        elif not self._in_body:  # a body is read as fast as the application takes it
            self.flow.resume_reading()

    @property
    def _in_body(self) -> bool:
        return self.unfinished and not self.in_head

    def _may_parse(self) -> bool:
        """Whether the next bytes may begin a request, or belong to the body of that in progress."""
        if self.ended or self.transport.is_closing():
            return False
        return self.idle or (self._in_body and not self.pipeline)

    def _end_of_piece(self) -> int:
        """Where to cut what has arrived, so that a piece has the end of one head at most."""
        most = self._parsed + PIECE_BYTES
        end = self._received.find(HEAD_END, self._parsed, most)
        return most if end < 0 else end + len(HEAD_END)

    def _asks_for_its_answer_only(self, version: str) -> bool:
        """Whether the request is a GET that needs no layer of the application, and no probe."""
        return (
            self.parser.get_method() == b"GET"
            and version == "1.1"
            and self.url.partition(b"?")[0] not in PROBE_PATHS
            and not self.flow.write_paused
            and not self.service.draining
            and not any(name in self._special for name, _ in self.headers)
        )

    def _refuses(self) -> bool:
        """Whether the request is refused here; else it is admitted."""
        try:
            self.scope["state"][ADMITTED] = self.service.enter()
        except Overloaded:
            self.answered_here = True
            path = self.url.partition(b"?")[0].decode("ascii", "replace")
            self._refuse_overload(path, self.parser.should_keep_alive())
        return self.answered_here

    def _answers(self, request: PlainRequest) -> bool:
        """Whether a plain request is answered or refused here, as nothing speaks against it."""
        if self.flow.write_paused or not may_draw(request, self.service):
            return False
        self._unset_keepalive_if_required()
        try:
            turn = self.service.enter()
        except Overloaded:
            self._refuse_overload(PATH, request.headers.keep_alive)
            return True
        own = self.server_state.default_headers
        drawing = DrawingCycle(
            self.service, request, self.transport, own, self.on_response_complete
        )
        self.cycle = drawing  # type: ignore[assignment]  # it has all that uvicorn uses
        if turn is None:
            drawing.begin()
        else:
            turn.add_done_callback(drawing.begin)
        return True

    def _refuse_overload(self, path: str, keep_alive: bool) -> None:
        counters = self.service.counters
        route, _ = counters.routes.find(path)
        counters.refuse(route)
        self.transport.write((b"%016x" % next(request_ids)).join(OVERLOADED))
        if not keep_alive:
            self.transport.close()
        elif self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _check_size(self) -> None:
        """Refuse an endless head, cut an endless body: the parser itself has no limits."""
        if self.ended or self.transport.is_closing():
            return
        if self.received > MAX_REQUEST_BYTES:
            self.transport.close()
        elif self.in_head and is_large(self.received, len(self.headers)):
            self._refuse(*TOO_LARGE)

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        """Answer with the one error body and close, after the answers that are due."""
        own = *self.server_state.default_headers, CLOSE
        response = problem_bytes(secrets.token_hex(8), status, detail, *own)
        self.ended = True
        if self.idle:
            self._close_with(response)
        elif not self._in_body:
            self.final_response = response
        elif not self.cycle.response_started:  # the request in progress is what is refused
            self.cycle.disconnected = True  # nothing that it still says is sent
            self._close_with(response)

    def _close_with(self, response: bytes) -> None:
        self.transport.write(response)
        self.transport.close()
