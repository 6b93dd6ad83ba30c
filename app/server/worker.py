"""uvicorn's server and connection, with the limits and the shutdown that they lack.

The only module that relies on undocumented names of uvicorn:

- `Server`: `handle_exit`, `on_tick`, `started`, `should_exit`, `server_state`
- `ServerState`: `connections`, `default_headers`
- `HttpToolsProtocol`: `data_received`, `on_message_begin`, `on_headers_complete`,
  `on_message_complete`, `send_400_response`, `transport`, `server_state`, `cycle`,
  `app_state`, `url`, `headers`, `parser`, `flow`, `loop`, `timeout_keep_alive`,
  `timeout_keep_alive_handler`, `timeout_keep_alive_task`
- `FlowControl`: `write_paused`
- `RequestResponseCycle`: `response_complete`
- `Config`: `bind_socket`
- `STARTUP_FAILURE`
"""

import asyncio
import multiprocessing
import secrets
import signal
import time
from ctypes import c_ulonglong
from http import HTTPStatus
from socket import socket
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.api.boundary import request_ids
from app.api.problem import problem_bytes
from app.api.service import Service
from app.overload import RETRY_AFTER_S, Overloaded
from app.telemetry.route import PROBES

__all__ = ["STARTUP_FAILURE", "Connection", "Worker", "bind"]

MAX_HEAD_BYTES = 2**16
MAX_REQUEST_BYTES = 2**27  # twice the largest upload that the settings allow
HEAD_LIMIT_S = 10  # for the head of a request, from its first byte to its last
TICKS_PER_S = 10  # of uvicorn's main loop

PROBE_PATHS = frozenset(path.encode() for path in PROBES)
# With one of these a request asks for more than its answer: a body, CORS, an id of its own.
SPECIAL_HEADERS = frozenset(
    {b"content-length", b"transfer-encoding", b"upgrade", b"expect", b"origin", b"x-request-id"}
)
PLACEHOLDER = "0" * 16
# The bytes of a refusal around its two request ids.
OVERLOADED = problem_bytes(
    PLACEHOLDER, 503, str(Overloaded()), (b"retry-after", b"%d" % RETRY_AFTER_S)
).split(PLACEHOLDER.encode())


class Connection(HttpToolsProtocol):
    """The connection of one client.

    Bounds requests in size, and their heads in time. Announces each request that begins, so that
    those that were read together are drawn together. Under overload it refuses plain requests
    itself: that costs a sixth of a refusal by the application, which must not be slower than the
    load.
    """

    in_head = unfinished = False  # the request that arrives
    received = 0  # bytes of it, while it is unfinished
    refused = False  # the request that arrives
    slow: tuple[object, float] | None = None  # the request before an unfinished head; since when

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.service: Service = self.app_state["service"]

    def data_received(self, data: bytes) -> None:
        """Bytes of the client have arrived."""
        super().data_received(data)
        if self.unfinished:
            self._check_size(len(data))

    def on_message_begin(self) -> None:
        """The first byte of a request has arrived."""
        super().on_message_begin()
        self.in_head = self.unfinished = True

    def on_headers_complete(self) -> None:
        """The last byte of a head has arrived."""
        self.in_head = False
        begins = self.cycle is None or self.cycle.response_complete  # else it is pipelined
        plain = begins and self._is_plain()
        if plain and not self.service.limit.announce():
            self._refuse_overload()
            return
        super().on_headers_complete()
        if begins and not plain:
            self.service.limit.expect()

    def on_message_complete(self) -> None:
        """The last byte of a request has arrived."""
        self.unfinished, self.received = False, 0
        if self.refused:
            self.refused = False
        else:
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the input is not repeated
        """Refuse bytes that are not HTTP."""
        detail = "The bytes received are not an HTTP request; send one as RFC 9112 defines it."
        self._refuse(HTTPStatus.BAD_REQUEST, detail)

    def close_if_slow(self, now: float) -> None:
        """Close the connection if the head of a request is unfinished for `HEAD_LIMIT_S`.

        Args:
            now: time of the event loop, in seconds.
        """
        idle = self.cycle is None or self.cycle.response_complete
        if not idle or self.timeout_keep_alive_task is not None:
            self.slow = None  # answering, or silent, which the keep-alive limit bounds
        elif self.slow is None or self.slow[0] is not self.cycle:
            self.slow = self.cycle, now
        elif now - self.slow[1] >= HEAD_LIMIT_S:
            self.transport.close()

    def _is_plain(self) -> bool:
        """Whether a prepared response can refuse the request: GET without anything special."""
        return (
            self.parser.get_method() == b"GET"
            and self.url.partition(b"?")[0] not in PROBE_PATHS
            and not self.flow.write_paused
            and not self.service.draining
            and not any(name in SPECIAL_HEADERS for name, _ in self.headers)
        )

    def _refuse_overload(self) -> None:
        self.refused = True
        counters = self.service.counters
        route, _ = counters.routes.find(self.url.partition(b"?")[0].decode("ascii", "replace"))
        counters.refuse(route)
        self.transport.write((b"%016x" % next(request_ids)).join(OVERLOADED))
        if not self.parser.should_keep_alive():
            self.transport.close()
        elif self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _check_size(self, more: int) -> None:
        """Refuse an endless head, cut an endless body: the parser itself has no limits."""
        self.received += more
        if self.transport.is_closing() or self.received <= MAX_HEAD_BYTES:
            return
        if self.received > MAX_REQUEST_BYTES:
            self.transport.close()
        elif self.in_head:
            detail = f"The head of the request is larger than {MAX_HEAD_BYTES} bytes; send less."
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, detail)

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        """Answer with the one error body and close."""
        own = *self.server_state.default_headers, (b"connection", b"close")
        self.transport.write(problem_bytes(secrets.token_hex(8), status, detail, *own))
        self.transport.close()


class Worker(uvicorn.Server):
    """uvicorn's server with a shutdown that loses no request.

    SIGTERM: the service is not ready any more, but answers for another `drain_s`; then it takes
    no more connections and finishes what is in progress. SIGINT skips the drain. Exits with 0. A
    second signal ends the process at once.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        drain_s: float,
        service: Service,
        beats: c_ulonglong | None = None,
    ) -> None:
        """Not started yet.

        Args:
            config: of uvicorn.
            drain_s: how long to keep answering after SIGTERM, in seconds.
            service: told that it drains, so that it stops being ready.
            beats: counts ten times a second, from the start to the shutdown; see `Place`.
        """
        super().__init__(config)
        self._drain_s, self._service, self._beats = drain_s, service, beats
        self._end_at: float | None = None
        self._supervisor = multiprocessing.parent_process()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Handle a signal to end."""
        if self._end_at is not None:
            signal.signal(sig, signal.SIG_DFL)
            signal.raise_signal(sig)
        draining = self._drain_s if sig == signal.SIGTERM and self.started else 0
        self._end_at = time.monotonic() + draining
        self._service.draining = True
        self.should_exit = not draining

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether to end."""
        if counter % TICKS_PER_S == 0:
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                if isinstance(connection, Connection):
                    connection.close_if_slow(now)
        if self._supervisor and not self._supervisor.is_alive() and self._end_at is None:
            self.handle_exit(signal.SIGTERM, None)  # nobody else would end this worker
        if self._end_at is not None and time.monotonic() >= self._end_at:
            self.should_exit = True
        ending = await super().on_tick(counter)
        if self._beats is not None:
            self._beats.value = 0 if ending else self._beats.value + 1
        return ending


def bind(config: uvicorn.Config) -> socket:
    """The socket that several workers share; the log names its address."""
    return config.bind_socket()
