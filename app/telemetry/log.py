"""The log, as text or as lines of JSON: a line for each request, and messages of the server.

A line names the route, never the address as it was sent, and no header: what a client sends,
such as a key, cannot get into the log.
"""

import asyncio
import json
import logging
import select
import time
from collections.abc import Callable
from datetime import UTC, datetime

from starlette.types import Scope
from uvicorn.logging import DefaultFormatter

from app.settings import LogForm
from app.telemetry.writer import LogWriter, WriterHandler

FLUSH_S = 0.2  # the longest that a line is buffered
METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"})
SERVER_ERROR = 500


class AccessLog:
    """A line for each request, on standard output.

    Lines are buffered, because writing each one would cost more than making it. A write holds
    whole lines and at most as much as a pipe takes atomically, so the lines of several workers
    never mix. It happens on a thread, so that no request waits for the reader.
    """

    def __init__(
        self, form: LogForm, descriptor: int = 1, on_drop: Callable[[int], None] | None = None
    ) -> None:
        """Nothing is written yet.

        Args:
            form: of a line.
            descriptor: where to write.
            on_drop: see `LogWriter`.
        """
        self._json = form == "json"
        self._writer = LogWriter(descriptor, on_drop)
        self._held = bytearray()
        self._second = -1
        self._stamp = ""

    def write(
        self, scope: Scope, route: str, status: int, seconds: float, size: int, trace: str = ""
    ) -> None:
        """Log a request that is answered.

        Args:
            scope: of the request, with `request_id` in its state.
            route: its name, see `app.telemetry.route`.
            status: HTTP status.
            seconds: it took.
            size: bytes of the answer's body.
            trace: its trace id, 32 hex digits; empty where it is not traced.
        """
        method = scope["method"] if scope["method"] in METHODS else "other"
        request_id = scope.get("state", {}).get("request_id", "")
        level = "error" if status >= SERVER_ERROR else "info"
        if self._json:
            line = (
                f'{{"time":"{self._now()}","level":"{level}","message":"request",'
                f'"request_id":"{request_id}","method":"{method}","route":"{route}",'
                f'"status":{status},"duration_ms":{seconds * 1000:.3f},"bytes":{size}'
                + (f',"trace_id":"{trace}"}}\n' if trace else "}\n")
            )
        else:
            line = (
                f"{level.upper()}:     {self._now()} {method} {route} {status} "
                f"{seconds * 1000:.3f} ms {size} bytes {request_id} {trace}".rstrip()
                + "\n"
            )
        self._hold(line.encode("ascii"))

    def flush(self) -> None:
        """Have the buffered lines written, and wait for that a moment."""
        self._pass_on()
        self._writer.flush()

    def _hold(self, line: bytes) -> None:
        if not self._held:
            asyncio.get_running_loop().call_later(FLUSH_S, self._pass_on)
        elif len(self._held) + len(line) > select.PIPE_BUF:
            self._pass_on()
        self._held += line

    def _pass_on(self) -> None:
        if self._held:
            self._writer.write(bytes(self._held))
            self._held.clear()

    def _now(self) -> str:
        now = time.time()
        second = int(now)
        if second != self._second:  # the rest is the same for many lines
            self._second, self._stamp = second, timestamp(second)[:-4]
        return f"{self._stamp}{int((now - second) * 1000):03d}Z"


def timestamp(seconds: float) -> str:
    """Seconds since 1970 as RFC 3339, in milliseconds, UTC."""
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


class JsonFormatter(logging.Formatter):
    """A log record as one line of JSON, with the same first fields as the line of a request."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        document = {
            "time": timestamp(record.created),
            "level": record.levelname.lower(),
            "message": record.getMessage().rstrip(),
        }
        if record.exc_info:
            document["exception"] = self.formatException(record.exc_info)
        return json.dumps(document, separators=(",", ":"))


def configure_log(form: LogForm) -> LogWriter:
    """Write messages of the server, and warnings of all libraries, to standard error.

    Returns:
        What writes them.
    """
    writer = LogWriter(2)
    handler = WriterHandler(writer)
    text = DefaultFormatter("%(levelprefix)s %(message)s")
    handler.setFormatter(JsonFormatter() if form == "json" else text)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("uvicorn").setLevel(logging.INFO)
    return writer
