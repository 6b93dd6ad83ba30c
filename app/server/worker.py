"""uvicorn's server with the shutdown that it lacks.

Relies on undocumented names of uvicorn, as `app.server.connection` does:

- `Server`: `handle_exit`, `on_tick`, `started`, `should_exit`, `server_state`
- `ServerState`: `connections`
- `Config`: `bind_socket`
- `STARTUP_FAILURE`
"""

import asyncio
import multiprocessing
import signal
import time
from ctypes import c_ulonglong
from socket import socket
from types import FrameType

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from app.api.service import Service
from app.server.connection import Connection

__all__ = ["STARTUP_FAILURE", "Worker", "bind"]

TICKS_PER_S = 10  # of uvicorn's main loop


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
        service.unsent.senders = self._connections

    def _connections(self) -> list[Connection]:
        open_now = self.server_state.connections
        return [connection for connection in open_now if isinstance(connection, Connection)]

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
            for connection in self._connections():
                connection.close_if_slow(now)
                connection.abort_if_stalled(now)
        self._service.unsent.look()
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
