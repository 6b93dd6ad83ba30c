"""Taking over a new checkpoint, or new keys, while the service answers."""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.datastructures import State

from app.api.keys import AccessError, read_keys
from app.drawing.latent_map import strongest_directions
from app.settings import Settings
from app.drawing.renderer import Studio
from app.server.terminal import Terminal
from model.checkpoint import CheckpointError
from model.engine import EngineError

log = logging.getLogger("uvicorn.error")
Signature = tuple[tuple[str, int, int, int], ...]  # name, inode, time, size of each file


class Reloader:
    """Opens what the settings name again and puts it in the place of the old.

    Requests that have begun finish with the studio they began with. What cannot be used is
    refused with one sentence in the log, and the old goes on.
    """

    def __init__(self, state: State, settings: Settings, open_new: Callable[[], Studio]) -> None:
        self.state = state
        self.open_new = open_new
        self.settings = settings
        self._turn = asyncio.Lock()
        self._seen = self._signature()

    async def reload(self) -> None:
        """Take over what is there now."""
        async with self._turn:
            self._seen = self._signature()
            try:
                keys = read_keys(self.settings)
                studio = await asyncio.to_thread(self._open)
            except (AccessError, CheckpointError, EngineError) as error:
                log.error("The new checkpoint or keys are refused, the old go on: %s", error)
                return
            self.state.keys, self.state.studio = keys, studio
            strongest_directions.cache_clear()  # it holds on to the old studio
            log.info("Drawing with the model %s from now on.", studio.model_hash)

    async def watch(self) -> None:
        """Take over each new checkpoint folder, for ever."""
        while True:
            await asyncio.sleep(self.settings.watch_seconds)
            if self._signature() not in ((), self._seen):
                await self.reload()

    def _open(self) -> Studio:
        """The studio of one whole folder: not half of one and half of the next."""
        for _ in range(3):
            before = self._signature()
            studio = self.open_new()
            if self._signature() == before:
                break
        return studio

    def _signature(self) -> Signature:
        """What differs when any file of the folder was written or replaced."""
        try:
            with os.scandir(self.settings.checkpoint) as entries:
                found = [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
        except OSError:
            return ()  # between two folders, or gone
        return tuple(sorted((name, s.st_ino, s.st_mtime_ns, s.st_size) for name, s in found))


@asynccontextmanager
async def reloading(
    state: State, settings: Settings, open_new: Callable[[], Studio]
) -> AsyncIterator[None]:
    """While entered, SIGHUP reloads, and so does a new folder if it is watched."""
    reloader, loop = Reloader(state, settings, open_new), asyncio.get_running_loop()
    tasks = {loop.create_task(reloader.watch())} if settings.watch_seconds else set()
    # Signals are for the main thread; where this is another, somebody else handles them.
    listening = hasattr(signal, "SIGHUP") and threading.current_thread() is threading.main_thread()

    terminal = Terminal()

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
