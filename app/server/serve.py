"""Serving: one worker in this process, or several under a supervisor."""

import importlib.util
import logging
import multiprocessing
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from ctypes import c_ulonglong
from errno import EADDRNOTAVAIL
from functools import partial
from pathlib import Path
from socket import SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, getaddrinfo, socket
from tempfile import TemporaryDirectory

import uvicorn
from fastapi import FastAPI

from app.server.allocator import return_freed_memory
from app.server.supervisor import Supervisor
from app.settings import SettingError, Settings
from app.telemetry.counters import read_counters
from app.telemetry.log import configure_log

log = logging.getLogger("uvicorn.error")
CreateApp = Callable[[Settings], FastAPI]
MEMORY = "/dev/shm"  # noqa: S108 - a folder of unguessable name is made in it
LOOP = "uvloop" if sys.platform in ("linux", "darwin") else "asyncio"
# Packages whose memory workers share. Ours are not among them: the process that imports these does
# not know where they are, and a folder may have an `app` of its own.
SHARED = "fastapi", "numpy", "onnxruntime", "uvicorn", "uvloop", "httptools", "safetensors"
THREADS_END_S = 0.5  # at the end of the process, for idle threads to end
KEEP_ALIVE_S = 65  # longer than the usual 60 s of proxies, which must close first


def serve(create_app: CreateApp, settings: Settings) -> None:
    """Serve until a signal; exits with a non-zero code if the start fails.

    Args:
        create_app: importable by name, because each worker calls it in its own process.
        settings: what to serve with.
    Raises:
        SystemExit: the start failed; its sentence is in the log, or is the message of the exit.
    """
    _require_fast_parts()
    _require_address(settings.host, settings.port)
    configure_log(settings.log)
    if settings.workers == 1:
        _run_worker(create_app, settings)
        _abandon_threads()
        return
    from app.server.worker import STARTUP_FAILURE, bind  # not before the check

    with _shared_metrics(settings) as shared:
        listener = bind(_config(None, settings))
        supervisor = Supervisor(
            partial(_run_member, create_app, shared, listener, settings.metrics_folder is None),
            settings.workers,
            settings.drain_seconds + settings.shutdown_seconds,
            STARTUP_FAILURE,
            imports=SHARED,
        )
        code = supervisor.run()
    sys.exit(code)


def _run_worker(
    create_app: CreateApp,
    settings: Settings,
    listener: socket | None = None,
    beats: c_ulonglong | None = None,
) -> None:
    """Serve in this process.

    Args:
        create_app: see `serve`.
        settings: what to serve with.
        listener: the socket that several workers share.
        beats: tell the supervisor that the event loop runs.
    """
    from app.server.worker import STARTUP_FAILURE, Worker  # not before the check

    messages = configure_log(settings.log)
    return_freed_memory()
    try:
        app = create_app(settings)
    except SettingError as error:
        log.error("%s", error)
        sys.exit(STARTUP_FAILURE)
    messages.on_drop = app.state.service.counters.drop_lines
    worker = Worker(_config(app, settings), settings.drain_seconds, app.state.service, beats)
    worker.run(sockets=[listener] if listener else None)
    app.state.service.close()


def _abandon_threads() -> None:
    """End the process if a thread still works: the interpreter would wait for it without limit."""
    end_at = time.monotonic() + THREADS_END_S
    for thread in threading.enumerate():
        if not thread.daemon and thread is not threading.current_thread():
            thread.join(max(0, end_at - time.monotonic()))
            if thread.is_alive():
                logging.shutdown()  # writes what the log still holds
                os._exit(0)


def _run_member(
    create_app: CreateApp,
    settings: Settings,
    listener: socket,
    owned: bool,
    beats: c_ulonglong,
) -> None:
    """Serve in this process as one of several workers.

    Args:
        create_app: see `serve`.
        settings: what to serve with.
        listener: see `_run_worker`.
        owned: whether the service has made the metrics folder. A supervisor that is killed cannot
            remove it, so then its workers do, which end too.
        beats: see `_run_worker`.
    """
    try:
        _run_worker(create_app, settings, listener, beats)
    finally:
        supervisor = multiprocessing.parent_process()
        if owned and settings.metrics_folder and supervisor and not supervisor.is_alive():
            shutil.rmtree(settings.metrics_folder, ignore_errors=True)
        logging.shutdown()  # a process that was forked ends without it, and would lose lines
    _abandon_threads()


def _config(app: FastAPI | None, settings: Settings) -> uvicorn.Config:
    """How uvicorn runs an application."""
    return uvicorn.Config(
        app or "",
        host=settings.host,
        port=settings.port,
        access_log=False,  # ours is faster, see app.telemetry.log
        log_config=None,  # see configure_log
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=settings.shutdown_seconds,
        server_header=False,
        proxy_headers=False,  # nothing here depends on the address of a client
        ws="none",  # there are no web sockets, and importing them would delay the start
        http="app.server.connection:Connection",
        loop=LOOP,
    )


def _require_fast_parts() -> None:
    """Check what uvicorn would silently replace by something slower, or fail without."""
    for name in ("httptools", LOOP):
        if importlib.util.find_spec(name) is None:
            raise SystemExit(
                f"The service needs {name}, which is not installed; run `make serve`, which "
                "installs everything, or `pip install 'uvicorn[standard]'`."
            )


def _require_address(host: str, port: int) -> None:
    """Check that the service can listen there: uvicorn's message does not tell what to do."""
    try:
        for family, kind, _, _, address in getaddrinfo(host, port, type=SOCK_STREAM):
            with socket(family, kind) as probe:
                probe.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
                probe.bind(address)
    except UnicodeError as error:
        raise _cannot_listen(host, port, "it is not the name of a host") from error
    except OSError as error:
        if error.errno == EADDRNOTAVAIL and host == "localhost":
            return  # one of its two addresses suffices
        raise _cannot_listen(host, port, error.strerror) from error


def _cannot_listen(host: str, port: int, reason: str | None) -> SystemExit:
    return SystemExit(
        f"The service cannot listen on {host}, port {port}: {reason}; choose another "
        "address with --host or CVAE_HOST, or another port with --port or CVAE_PORT."
    )


@contextmanager
def _shared_metrics(settings: Settings) -> Iterator[Settings]:
    """The settings with a folder in which the workers count together, while they live.

    If the metrics have a port of their own, it is served from here: no worker sees the others.

    Raises:
        SystemExit: with a sentence, if the port is not available or no folder can be made.
    """
    with ExitStack() as stack:
        folder = settings.metrics_folder
        if folder is None:
            # In memory if possible: that works in a read-only container, and no slow disk can
            # block a worker.
            place = MEMORY if os.access(MEMORY, os.W_OK) else None
            try:
                folder = Path(stack.enter_context(TemporaryDirectory(prefix="cvae-", dir=place)))
            except OSError as error:
                raise SystemExit(
                    f"The service cannot make a folder for its metrics: {error.strerror}; set "
                    "CVAE_METRICS_FOLDER to a folder that exists and can be written."
                ) from error
        if settings.metrics_port:
            from app.telemetry.metrics_port import own_port  # on demand

            read = partial(read_counters, folder)
            try:
                stack.enter_context(own_port(settings.host, settings.metrics_port, read))
            except SettingError as error:
                raise SystemExit(str(error)) from error
        yield settings.model_copy(update={"metrics_folder": folder})
