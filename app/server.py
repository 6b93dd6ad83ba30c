"""How uvicorn runs the application: event loop, parser, workers, log. Knows no endpoint."""

import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from app.ledger import read_ledgers
from app.logs import server_log
from app.settings import SettingError, Settings

MEMORY = "/dev/shm"
KEEP_ALIVE_S = 65  # longer than the usual 60 s of proxies, which must be the first to close


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
        uvicorn.run(application, **options)
        return
    with _shared_metrics(settings) as shared:
        os.environ.update(shared.environment())
        config = uvicorn.Config(application, workers=settings.workers, **options)
        supervisor = Multiprocess(config, sockets=[config.bind_socket()])
        supervisor.run()
    if any(worker.exitcode == STARTUP_FAILURE for worker in supervisor.processes):
        sys.exit(STARTUP_FAILURE)


def server_options(settings: Settings) -> dict[str, Any]:
    """The options of uvicorn, the same for one worker and for many.

    Raises:
        SystemExit: with a sentence, when a fast part is missing where it belongs.
    """
    return {
        "host": settings.host,
        "port": settings.port,
        "access_log": False,  # our own costs a fifth, see app.logs
        "log_config": server_log(settings.log),
        "timeout_keep_alive": KEEP_ALIVE_S,
        "server_header": False,
        "ws": "none",  # there are no web sockets here: importing them would delay the start
        "http": _installed("httptools"),
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
            from app.metrics import own_port  # imported when asked for

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
