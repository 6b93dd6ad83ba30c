"""How uvicorn runs the application: event loop, parser, end, workers, log. Knows no endpoint."""

import asyncio
import importlib.util
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from app.telemetry.counters import read_ledgers
from app.telemetry.log import server_log
from app.settings import SettingError, Settings
from app.server.supervisor import Supervisor

MEMORY = "/dev/shm"
KEEP_ALIVE_S = 65  # longer than the usual 60 s of proxies, which must be the first to close
CONNECTION = "app.server.connection:Connection"
TICKS_PER_S = 10  # of uvicorn's main loop


class Server(uvicorn.Server):
    """uvicorn's server with an end that loses nothing.

    SIGTERM: not ready from now on, but everything is answered for another `drain_s`; then no more
    connections are taken and what is under way is finished. SIGINT leaves out the waiting.
    Exits with 0. A second signal ends the process at once.
    """

    def __init__(self, config: uvicorn.Config, drain_s: float) -> None:
        super().__init__(config)
        self._drain_s = drain_s
        self._end_at: float | None = None
        self._supervisor = multiprocessing.parent_process()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """A signal to end."""
        if self._end_at is not None:
            signal.signal(sig, signal.SIG_DFL)
            signal.raise_signal(sig)
        draining = self._drain_s if sig == signal.SIGTERM and self.started else 0
        self._end_at = time.monotonic() + draining
        if self.started:
            self.lifespan.state["gate"].draining = True
        self.should_exit = not draining

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether to end."""
        if counter % TICKS_PER_S == 0:
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                connection.close_if_slow(now)  # type: ignore[union-attr]  # see CONNECTION
        if self._supervisor and not self._supervisor.is_alive() and self._end_at is None:
            self.handle_exit(signal.SIGTERM, None)  # nobody would end this worker
        if self._end_at is not None and time.monotonic() >= self._end_at:
            self.should_exit = True
        return await super().on_tick(counter)


def serve(application: str, settings: Settings) -> None:
    """Serve until a signal; exits non-zero when the start fails.

    Args:
        application: where the ASGI application is found, as `module:name`. Each worker makes its
            own from there, with the settings it finds in the environment.
        settings: what to serve with.
    Raises:
        SystemExit: the start failed; its sentence is in the log, or is the exit's own.
    """
    options = server_options(settings)
    if settings.workers == 1:
        os.environ.update(settings.environment())
        Server(uvicorn.Config(application, **options), settings.drain_seconds).run()
        return
    with _shared_metrics(settings) as shared:
        os.environ.update(shared.environment())
        socket = uvicorn.Config(application, **options).bind_socket()
        arguments = application, options, settings.drain_seconds, socket
        limit_s = settings.drain_seconds + settings.shutdown_seconds
        supervisor = Supervisor(work, arguments, settings.workers, limit_s, STARTUP_FAILURE)
        code = supervisor.run()
    sys.exit(code)


def work(application: str, options: dict[str, Any], drain_s: float, socket: Any) -> None:
    """One worker, in a process of its own."""
    Server(uvicorn.Config(application, **options), drain_s).run(sockets=[socket])


def server_options(settings: Settings) -> dict[str, Any]:
    """The options of uvicorn, the same for one worker and for many.

    Raises:
        SystemExit: with a sentence, when a fast part is missing where it belongs.
    """
    _installed("httptools")
    return {
        "host": settings.host,
        "port": settings.port,
        "access_log": False,  # our own costs a fifth, see app.telemetry.log
        "log_config": server_log(settings.log),
        "timeout_keep_alive": KEEP_ALIVE_S,
        "timeout_graceful_shutdown": settings.shutdown_seconds,
        "server_header": False,
        "ws": "none",  # there are no web sockets here: importing them would delay the start
        "http": CONNECTION,
        "loop": _installed("uvloop") if sys.platform in ("linux", "darwin") else "asyncio",
    }


@contextmanager
def _shared_metrics(settings: Settings) -> Iterator[Settings]:
    """The settings with a folder where the workers count together, for as long as they live.

    Where the metrics have a port of their own, it is served here: no worker sees the others.

    Raises:
        SystemExit: with a sentence, when the port cannot be had.
    """
    with ExitStack() as stack:
        folder = settings.metrics_folder
        if folder is None:
            # In memory where there is such a place: it is there in a read-only container too, and
            # no disk can make a worker wait.
            place = MEMORY if os.access(MEMORY, os.W_OK) else None
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="cvae-", dir=place)))
        if settings.metrics_port:
            from app.telemetry.prometheus import own_port  # imported when asked for

            try:
                stack.enter_context(own_port(settings, partial(read_ledgers, folder)))
            except SettingError as error:
                raise SystemExit(str(error)) from error
        yield settings.model_copy(update={"metrics_folder": folder})


def _installed(name: str) -> str:
    """`name`, proven to be there: uvicorn would take a part of several times its cost instead."""
    if importlib.util.find_spec(name) is None:
        raise SystemExit(
            f"The service needs {name}, which is not installed; run `make serve`, which installs "
            "all it needs, or `pip install 'uvicorn[standard]'`."
        )
    return name
