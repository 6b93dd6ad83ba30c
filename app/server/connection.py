"""uvicorn's HTTP connection with what it lacks: a bound on waiting requests, one on slow ones."""

import re
import secrets
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.api.errors import problem_bytes
from app.overload.gate import PROBES, Gate
from app.telemetry.counters import route_of

MAX_HEAD_BYTES = 2**16
MAX_REQUEST_BYTES = 2**27  # twice the largest upload that the settings take
HEAD_LIMIT_S = 10  # for the head of a request, from its first byte to its last
LINE_END = b"\r\n"
PLAIN_LINE = re.compile(rb"GET (/[\w./-]*)(\?[!-~]*)? HTTP/1\.1")
HEAD_END = b"\r\n\r\n"
MAX_PLAIN_BYTES = 2**12
# A header that asks for more than the answer: CORS, a body, an end of the connection.
SPECIAL = re.compile(
    rb"\n(origin|content-length|transfer-encoding|upgrade|expect)|close", re.IGNORECASE
)


class Connection(HttpToolsProtocol):
    """One client's connection.

    A request that finds the gate shut is refused before any work: a plain GET before it is even
    parsed, any other by the application, which finds `busy` in its scope.
    """

    in_head = unfinished = False  # of the request that comes in
    received = 0  # bytes of it, while it is unfinished
    refused_at = 0.0  # when a request was last refused before it was parsed
    slow: tuple[object, float] | None = None  # the request before a head that is not whole; since

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.gate: Gate = self.app_state["gate"]

    def data_received(self, data: bytes) -> None:
        """Bytes of the client."""
        gate = self.gate
        if not gate.is_open:
            gate.open()
            self.loop.call_soon(gate.begin)  # runs when all that came by now has been read
        if gate.waiting >= gate.limit and (route := self._plain_route(data)):
            self.refused_at = self.loop.time()
            self.transport.write(gate.refuse(route))
        else:
            super().data_received(data)
            if self.unfinished:
                self._bound(len(data))

    def timeout_keep_alive_handler(self) -> None:
        """Nothing was asked for that long, or all of it was refused before it was parsed."""
        rest = self.refused_at + self.timeout_keep_alive - self.loop.time()
        if rest > 0:
            self.timeout_keep_alive_task = self.loop.call_later(
                rest, self.timeout_keep_alive_handler
            )
        else:
            super().timeout_keep_alive_handler()

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self.in_head = self.unfinished = True

    def on_message_complete(self) -> None:
        """The last byte of a request."""
        self.unfinished, self.received = False, 0
        super().on_message_complete()

    def on_headers_complete(self) -> None:
        """The head of a request is whole."""
        gate = self.gate
        self.in_head = False
        if self.url not in PROBES and not gate.admit():
            self.scope["busy"] = True  # type: ignore[typeddict-unknown-key]
        super().on_headers_complete()
        if gate.draining:
            self.cycle.keep_alive = False  # the client shall go to another instance

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - repeats nothing
        """Refuse what is no HTTP."""
        detail = "This is no HTTP request that can be read; send one as RFC 9112 says."
        self._refuse(HTTPStatus.BAD_REQUEST, detail)

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        """Answer in the one error body and close."""
        own = *self.server_state.default_headers, (b"connection", b"close")
        self.transport.write(problem_bytes(secrets.token_hex(8), status, detail, *own))
        self.transport.close()

    def close_if_slow(self, now: float) -> None:
        """Close a connection that has owed the rest of a request's head for `HEAD_LIMIT_S`.

        Args:
            now: of the event loop's clock, in seconds.
        """
        between = self.cycle is None or self.cycle.response_complete
        if not between or self.timeout_keep_alive_task is not None:
            self.slow = None  # at work, or silent: the keep-alive limit sees to that
        elif self.slow is None or self.slow[0] is not self.cycle:
            self.slow = self.cycle, now
        elif now - self.slow[1] >= HEAD_LIMIT_S:
            self.transport.close()

    def _bound(self, more: int) -> None:
        """Refuse a head, or end a body, without end: the parser itself has no limits."""
        self.received += more
        if self.transport.is_closing() or self.received <= MAX_HEAD_BYTES:
            return
        if self.received > MAX_REQUEST_BYTES:
            self.transport.close()
        elif self.in_head:
            detail = f"The head of the request is larger than {MAX_HEAD_BYTES} bytes; send less."
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, detail)

    def _plain_route(self, data: bytes) -> str | None:
        """Where one whole plain request goes, on a connection that waits for one; else None."""
        end = data.find(LINE_END)
        if (
            len(data) <= MAX_PLAIN_BYTES
            and (line := PLAIN_LINE.fullmatch(data, 0, end))
            and _ask_for_no_more(data[end:])
            and self.timeout_keep_alive_task is not None  # else half a head may have come before
            and not self.flow.write_paused
        ):
            return _route(line[1])
        return None


# A client sends the same headers each time, and there are few addresses.
@lru_cache(maxsize=128)
def _ask_for_no_more(headers: bytes) -> bool:
    """Whether headers, from the end of the first line on, are all of a request and plain."""
    return headers.find(HEAD_END) == len(headers) - len(HEAD_END) and not SPECIAL.search(headers)


@lru_cache(maxsize=128)
def _route(path: bytes) -> str | None:
    """The route of a path; None where it is a probe's."""
    return None if path in PROBES else route_of(path.decode("ascii"))
