"""The log, as text or as lines of JSON: one line for each request, and the server's own messages.

A line names the route, never the address as it was typed, and no header: what a client sends, a
key among it, cannot get into the log.
"""

import asyncio
import json
import logging
import os
import select
import time
from datetime import UTC, datetime
from typing import Any, Literal

from starlette.types import Scope

LogForm = Literal["text", "json"]
FLUSH_S = 0.2  # how long a line of a quiet service is held back at most
METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"})


class AccessLog:
    """One line for each request, on standard output.

    Lines are gathered, since to write each would cost more than to make it. What is written at
    once is whole lines and at most as much as a pipe takes in one piece: the lines of several
    workers never mix.
    """

    def __init__(self, form: LogForm, descriptor: int = 1) -> None:
        self._json = form == "json"
        self._descriptor = descriptor
        self._held = bytearray()
        self._second = -1
        self._stamp = ""

    def write(
        self, scope: Scope, route: str, status: int, seconds: float, size: int, trace: str = ""
    ) -> None:
        """Note a request that is answered.

        Args:
            scope: of the request, with its `request_id`.
            route: where it went, one of `app.telemetry.counters.ROUTES`.
            status: HTTP status.
            seconds: it took.
            size: bytes of the answer's body.
            trace: its trace id, 32 hex digits; empty where it is not traced.
        """
        method = scope["method"] if scope["method"] in METHODS else "other"
        request_id = scope.get("request_id", "")
        level = "error" if status >= 500 else "info"
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
        """Write what is held back."""
        held, self._held = self._held, bytearray()
        while held:
            try:
                del held[: os.write(self._descriptor, held)]
            except OSError:  # nobody reads the log any more: no reason not to draw
                return

    def _hold(self, line: bytes) -> None:
        if not self._held:
            asyncio.get_running_loop().call_later(FLUSH_S, self.flush)
        elif len(self._held) + len(line) > select.PIPE_BUF:
            self.flush()
        self._held += line

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
    """A log record as one line of JSON with the same first fields as a request's."""

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


def server_log(form: LogForm) -> dict[str, Any]:
    """What `logging.config` needs to write the messages of uvicorn and others to standard error."""
    formatter = {"()": "app.telemetry.log.JsonFormatter"}
    if form == "text":
        formatter = {
            "()": "uvicorn.logging.DefaultFormatter",
            "fmt": "%(levelprefix)s %(message)s",
        }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"form": formatter},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "form",
                "stream": "ext://sys.stderr",
            }
        },
        "loggers": {"uvicorn": {"level": "INFO"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
    }
