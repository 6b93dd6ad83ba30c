"""Taking over a new checkpoint, or new keys, while the service answers."""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from app.server.supervisor import Terminal
from app.settings import SettingError
from model.checkpoint import CheckpointError
from model.engine import EngineError

log = logging.getLogger("uvicorn.error")
Use = Callable[[], str]
Signature = tuple[tuple[str, int, int, int], ...]  # name, inode, time, size of each file


class Reloader:
    """Loads what a checkpoint folder contains now, and puts it into use.

    What cannot be used is refused with one sentence in the log, and nothing changes.
    """

    def __init__(self, folder: Path, load: Callable[[], Use], watch_seconds: float) -> None:
        """Remember the present content of the folder.

        Args:
            folder: the checkpoint.
            load: opens it, on a thread; its result puts it into use, in the event loop, and
                returns the name of the model.
            watch_seconds: how often to look for another content.
        """
        self._folder, self._load, self._watch_seconds = folder, load, watch_seconds
        self._lock = asyncio.Lock()
        self._seen = self._signature()

    async def reload(self) -> None:
        """Put the present content into use."""
        async with self._lock:
            self._seen = self._signature()
            try:
                use = await asyncio.to_thread(self._load_whole)
            except (CheckpointError, EngineError, SettingError) as error:
                log.error("The new checkpoint or keys are refused, nothing changes: %s", error)
            except Exception:
                log.exception("The new checkpoint or keys cannot be loaded, nothing changes.")
            else:
                log.info("Drawing with the model %s from now on.", use())

    async def watch(self) -> None:
        """Put each new content of the folder into use, forever."""
        while True:
            await asyncio.sleep(self._watch_seconds)
            if self._signature() not in ((), self._seen):
                await self.reload()

    def _load_whole(self) -> Use:
        """Load one whole folder, not half of one and half of the next."""
        for _ in range(3):
            before = self._signature()
            use = self._load()
            if self._signature() == before:
                break
        return use

    def _signature(self) -> Signature:
        """A value that changes when any file of the folder is written or replaced."""
        try:
            with os.scandir(self._folder) as entries:
                found = [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
        except OSError:
            return ()  # between two folders, or gone
        return tuple(sorted((name, s.st_ino, s.st_mtime_ns, s.st_size) for name, s in found))


@asynccontextmanager
async def reloading(
    folder: Path, load: Callable[[], Use], watch_seconds: float
) -> AsyncIterator[None]:
    """While entered, SIGHUP reloads, and so does a new content of the folder if it is watched.

    Args:
        folder: see `Reloader`.
        load: see `Reloader`.
        watch_seconds: see `Reloader`; 0 not to watch.
    """
    reloader, terminal = Reloader(folder, load, watch_seconds), Terminal()
    loop = asyncio.get_running_loop()
    tasks = {loop.create_task(reloader.watch())} if watch_seconds else set()
    # Only the main thread can receive signals; in another thread the embedding program does.
    listening = hasattr(signal, "SIGHUP") and threading.current_thread() is threading.main_thread()

    def begin() -> None:
        if terminal.is_closed():
            signal.raise_signal(signal.SIGTERM)
            return
        task = loop.create_task(reloader.reload())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    if listening:
        loop.add_signal_handler(signal.SIGHUP, begin)
    try:
        yield
    finally:
        if listening:
            loop.remove_signal_handler(signal.SIGHUP)
        for task in tasks:
            task.cancel()
