"""Taking over a new checkpoint, or new keys, while the service answers."""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from app.server.start import HANGUPS
from app.server.supervisor import Terminal
from app.settings import SettingError
from model.checkpoint import CheckpointError
from model.content import one_line
from model.engine import EngineError

log = logging.getLogger("uvicorn.error")
PAUSE_S = 1  # after a reload that was asked for, so that a flood of signals costs little
Use = Callable[[], str]
Signature = tuple[tuple[str, int, int, int], ...]  # name, inode, time, size of each file


class Reloader:
    """Loads what a checkpoint folder contains now, and puts it into use.

    What cannot be used is refused with one sentence in the log, and nothing changes.
    """

    def __init__(self, folder: Path, load: Callable[[], Use], watch_seconds: float) -> None:
        """Nothing is loaded yet.

        Args:
            folder: the checkpoint.
            load: opens it, on a thread; its result puts it into use, in the event loop, and
                returns the name of the model.
            watch_seconds: how often to look for another content; 0 never.
        """
        self._folder, self._load, self._watch_seconds = folder, load, watch_seconds
        self._asked = asyncio.Event()
        self._seen: Signature = ()

    def start(self) -> None:
        """Put the present content into use for the first time; raises what `load` raises."""
        self._load_whole()()

    def ask(self) -> None:
        """Ask for a reload. All that is asked for until it begins is one reload."""
        self._asked.set()

    async def run(self) -> None:
        """Put the content into use whenever that is asked for or it has changed, forever."""
        while True:
            if await self._is_asked():
                await self._reload()
                await asyncio.sleep(PAUSE_S)
            elif self._signature() not in ((), self._seen):
                await self._reload()

    async def _is_asked(self) -> bool:
        """Wait for a request to reload, or until it is time to look at the folder.

        Returns:
            Whether a reload was requested.
        """
        try:
            async with asyncio.timeout(self._watch_seconds or None):
                await self._asked.wait()
        except TimeoutError:
            return False
        self._asked.clear()
        return True

    async def _reload(self) -> None:
        try:
            model = (await asyncio.to_thread(self._load_whole))()
        except (CheckpointError, EngineError, SettingError) as error:
            log.error("The new checkpoint or keys are refused, nothing changes: %s", error)
        except Exception as error:  # whatever it is, the next content may be a good one
            log.error(
                "The new checkpoint or keys cannot be loaded, nothing changes: %s, %s.",
                type(error).__name__,
                one_line(error),
            )
        else:
            log.info("Drawing with the model %s from now on.", model)

    def _load_whole(self) -> Use:
        """Load one whole folder, not half of one and half of the next."""
        for _ in range(3):
            self._seen = self._signature()
            use = self._load()
            if self._signature() == self._seen:
                break
        return use

    def _signature(self) -> Signature:
        """A value that changes when any file of the folder is written or replaced."""
        try:
            with os.scandir(self._folder) as entries:
                found = [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
        except (OSError, ValueError):
            return ()  # between two folders, gone, or a path that no system call takes
        return tuple(sorted((name, s.st_ino, s.st_mtime_ns, s.st_size) for name, s in found))


@asynccontextmanager
async def reloading(
    folder: Path, load: Callable[[], Use], watch_seconds: float
) -> AsyncIterator[None]:
    """Load; while entered, SIGHUP loads again, and so does a new content of a watched folder.

    Args:
        folder: see `Reloader`.
        load: see `Reloader`; what it raises at first is raised here.
        watch_seconds: see `Reloader`.
    """
    reloader = Reloader(folder, load, watch_seconds)
    with _hangups(reloader.ask):
        reloader.start()
        task = asyncio.create_task(reloader.run())
        try:
            yield
        finally:
            task.cancel()


@contextmanager
def _hangups(ask: Callable[[], None]) -> Iterator[None]:
    """While entered, SIGHUP calls `ask`; that of a closed terminal ends the service instead.

    Only the main thread can receive signals. In another thread this does nothing and leaves them to
    the embedding program. A SIGHUP that the start has held back is received now, see
    `app.server.start`.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop, terminal = asyncio.get_running_loop(), Terminal()

    def receive() -> None:
        if terminal.is_closed():
            signal.raise_signal(signal.SIGTERM)
        else:
            ask()

    loop.add_signal_handler(signal.SIGHUP, receive)
    before = signal.pthread_sigmask(signal.SIG_UNBLOCK, HANGUPS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)  # without a handler it would kill
        loop.remove_signal_handler(signal.SIGHUP)
