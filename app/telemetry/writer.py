"""Writes the log on a thread of its own, so that nothing waits for whoever reads it."""

import logging
import os
import select
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

HELD_BYTES = 2**20  # at most; about 10,000 lines
FLUSH_LIMIT_S = 1


class LogWriter:
    """Writes lines to a descriptor, in order.

    A reader that stops, such as a stuck log driver, lets no caller wait. Lines are dropped and
    counted when too many are held, and when nobody reads any more.
    """

    def __init__(self, descriptor: int, on_drop: Callable[[int], None] | None = None) -> None:
        """The thread starts with the first line.

        Args:
            descriptor: of a file, pipe or terminal.
            on_drop: told the number of lines whenever some are dropped, on any thread.
        """
        self.on_drop = on_drop
        self._descriptor = descriptor
        self._queue: SimpleQueue[bytes] = SimpleQueue()
        self._given = self._done = 0  # bytes; each is counted by one thread
        self._thread: threading.Thread | None = None

    def write(self, lines: bytes) -> None:
        """Have whole lines written soon; returns at once. Callers take turns."""
        if self._given - self._done + len(lines) > HELD_BYTES:
            self._drop(lines)
            return
        self._given += len(lines)
        self._queue.put(lines)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="log", daemon=True)
            self._thread.start()

    def flush(self) -> None:
        """Wait until all lines are written, at most `FLUSH_LIMIT_S`."""
        limit = time.monotonic() + FLUSH_LIMIT_S
        while self._done < self._given and time.monotonic() < limit:
            time.sleep(0.001)

    def _run(self) -> None:
        while True:
            lines = self._queue.get()
            if not self._deliver(lines):
                self._drop(lines)
            self._done += len(lines)

    def _deliver(self, lines: bytes) -> bool:
        """Whether the lines are written; waits for the reader as long as there is one."""
        rest = memoryview(lines)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:  # another program has made the pipe non-blocking
                ready = select.poll()
                ready.register(self._descriptor, select.POLLOUT)
                ready.poll()
            except OSError:  # the reader is gone
                return False
        return True

    def _drop(self, lines: bytes) -> None:
        if self.on_drop is not None:
            self.on_drop(lines.count(b"\n"))


class WriterHandler(logging.Handler):
    """Hands each record of the standard library's log to a `LogWriter`."""

    def __init__(self, writer: LogWriter) -> None:
        super().__init__()
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler.emit`."""
        try:
            line = self.format(record)
        except Exception:
            self.handleError(record)
        else:
            self._writer.write(f"{line}\n".encode(errors="backslashreplace"))

    def flush(self) -> None:
        """See `LogWriter.flush`; the end of the process calls it."""
        self._writer.flush()
