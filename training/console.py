"""What a person at the terminal sees of a run: log lines and a live progress bar."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as ProgressBar
from rich.table import Table

from training.snapshot import Progress

CONSOLE = Console(stderr=True)


def loss_text(loss: Mapping[str, float]) -> str:
    """A loss with its parts in nats, such as "101.30 (reconstruction 84.70 + KL 16.60)"."""
    return (
        f"{loss['negative_elbo']:.2f} (reconstruction {loss['reconstruction_nll']:.2f} "
        f"+ KL {loss['kl']:.2f})"
    )


def start_log(run_dir: Path) -> None:
    """Send the log to the terminal and, a line an event, to train.log in the run's folder."""
    run_dir.mkdir(parents=True, exist_ok=True)
    to_file = logging.FileHandler(run_dir / "train.log")
    to_file.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger = logging.getLogger("training")
    logger.setLevel(logging.INFO)
    logger.handlers = [to_file, _TerminalHandler()]
    logger.propagate = False


class _TerminalHandler(logging.Handler):
    """Prints above the progress bar and leaves long lines whole, so that they can be copied."""

    def emit(self, record: logging.LogRecord) -> None:
        CONSOLE.print(self.format(record), soft_wrap=True, markup=False, highlight=False)


class StageBar:
    """The progress bar of one stage: steps, time left, the parts of its loss."""

    def __init__(self, name: str, steps: int) -> None:
        self._bar = _bar()
        self._task = self._bar.add_task(name, total=steps, loss="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()

    def update(self, completed: int, loss: str) -> None:
        """Show how many steps are done and the last loss."""
        self._bar.update(self._task, completed=completed, loss=loss)


class EpochBar:
    """The progress bar of one epoch: loss, its parts, time left."""

    def __init__(self, epoch: int, epochs: int, steps: int, enabled: bool) -> None:
        self._bar = _bar(enabled)
        self._task = self._bar.add_task(f"epoch {epoch}/{epochs}", total=steps, loss="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()

    def update(self, progress: Progress) -> None:
        """Show the averages of the epoch so far."""
        self._bar.update(self._task, completed=progress.step, loss=loss_text(progress.loss.mean()))


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Show a table on standard output; the first column names the row."""
    table = Table(title=title)
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def _bar(enabled: bool = True) -> ProgressBar:
    return ProgressBar(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[loss]}"),
        console=CONSOLE,
        transient=True,
        disable=not enabled,
    )
