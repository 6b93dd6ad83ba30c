"""How uvicorn runs the application: event loop, parser, workers, log. Knows no endpoint."""

import importlib.util
import os
import sys
from typing import Any

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from app.settings import Settings

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
    os.environ.update(settings.environment())
    if settings.workers == 1:
        uvicorn.run(application, **options)
        return
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
        "access_log": settings.access_log,
        "timeout_keep_alive": KEEP_ALIVE_S,
        "server_header": False,
        "ws": "none",  # there are no web sockets here: importing them would delay the start
        "http": _installed("httptools"),
        "loop": _installed("uvloop") if sys.platform in ("linux", "darwin") else "asyncio",
    }


def _installed(name: str) -> str:
    """`name`, proven to be there: uvicorn would take a part of several times its cost instead."""
    if importlib.util.find_spec(name) is None:
        raise SystemExit(
            f"The service needs {name}, which is not installed; run `make serve`, which installs "
            "all it needs, or `pip install 'uvicorn[standard]'`."
        )
    return name
