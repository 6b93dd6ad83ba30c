"""The shards of a data set, drawn by this process or by several."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from threading import Thread

from app.drawing.dataset.plan import Plan, Shard
from app.drawing.dataset.shards import write_shard
from app.drawing.renderer import Renderer

POLL_S = 0.2
Report = Callable[[int], None]  # is told how many pictures are drawn
Opened = Callable[[], Renderer]
After = Callable[[Path, Shard], None]  # what happens to a shard that is written


def keep(folder: Path, shard: Shard) -> None:
    """Leave a shard where it is: the usual `After`."""


@dataclass(frozen=True)
class Work:
    """Shards to write.

    Attributes:
        folder: of the data set.
        plan: of the data set.
        indices: of the shards.
        after: what happens to each that is written.
    """

    folder: Path
    plan: Plan
    indices: Sequence[int]
    after: After = keep

    def write(self, index: int, renderer: Renderer, report: Report) -> None:
        """Write a shard; `report` is told how many more pictures are drawn."""
        shard = self.plan.shards[index]
        write_shard(self.folder, shard, renderer, report)
        self.after(self.folder, shard)


@dataclass
class _Worker:
    """What a process keeps from one shard to the next."""

    work: Work
    renderer: Renderer
    drawn: "Synchronized[int]"

    def write(self, index: int) -> None:
        self.work.write(index, self.renderer, self._add)

    def _add(self, count: int) -> None:
        with self.drawn.get_lock():
            self.drawn.value += count


_of_process: list[_Worker] = []


def write_shards(work: Work, renderer: Renderer, report: Report) -> None:
    """Write shards one after the other, in this process."""
    drawn = 0

    def add(count: int) -> None:
        nonlocal drawn
        drawn += count
        report(drawn)

    for index in work.indices:
        work.write(index, renderer, add)


def write_shards_with(workers: int, opened: Opened, work: Work, report: Report) -> None:
    """Write shards by several processes. The bytes are the same for any number of them.

    Args:
        workers: number of processes.
        opened: opens a renderer; each process has its own.
        work: the shards.
        report: is told the progress a few times a second.
    Raises:
        OSError: the folder cannot be written, or a process was ended from outside.
    """
    context = get_context("spawn")  # threads of ONNX Runtime do not survive a fork
    drawn = context.Value("q", 0)
    pool = ProcessPoolExecutor(workers, context, _start, (opened, work, drawn))
    try:
        pending = {pool.submit(_write, index) for index in work.indices}
        while pending:
            done, pending = wait(pending, POLL_S, FIRST_EXCEPTION)
            for future in done:
                future.result()
            report(drawn.value)
    except BrokenProcessPool as error:
        sentence = "a process that draws was ended; run the command again to resume"
        raise ChildProcessError(0, sentence, str(work.folder)) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _start(opened: Opened, work: Work, drawn: "Synchronized[int]") -> None:
    Thread(target=_end_with_parent, daemon=True).start()
    _of_process.append(_Worker(work, opened(), drawn))


def _end_with_parent() -> None:
    """End this process when the command was killed: it would wait for shards for ever."""
    parent = parent_process()
    assert parent is not None  # see `_start`
    parent.join()
    os._exit(1)


def _write(index: int) -> None:
    _of_process[0].write(index)
