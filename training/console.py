"""The output of a run: log lines, progress bars and tables."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

CONSOLE = Console(stderr=True)


def loss_text(loss: Mapping[str, float]) -> str:
    """A loss and its parts in nats, such as "101.30 (reconstruction 84.70 + KL 16.60)"."""
    return (
        f"{loss['negative_elbo']:.2f} (reconstruction {loss['reconstruction_nll']:.2f} "
        f"+ KL {loss['kl']:.2f})"
    )


def start_log(run_dir: Path) -> None:
    """Send the log to the terminal and to train.log in the folder of the run."""
    run_dir.mkdir(parents=True, exist_ok=True)
    to_file = logging.FileHandler(run_dir / "train.log")
    to_file.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger = logging.getLogger("training")
    logger.setLevel(logging.INFO)
    for handler in logger.handlers:
        handler.close()
    logger.handlers = [to_file, _TerminalHandler()]
    logger.propagate = False


class _TerminalHandler(logging.Handler):
    """Prints above the progress bar and does not wrap lines, so that they can be copied."""

    def emit(self, record: logging.LogRecord) -> None:
        CONSOLE.print(self.format(record), soft_wrap=True, markup=False, highlight=False)


class LossBar:
    """A progress bar: steps, time left, the loss."""

    def __init__(self, name: str, steps: int, enabled: bool = True) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[loss]}"),
            console=CONSOLE,
            transient=True,
            disable=not enabled,
        )
        self._task = self._bar.add_task(name, total=steps, loss="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()

    def update(self, completed: int, loss: str) -> None:
        """Show the number of completed steps and the loss."""
        self._bar.update(self._task, completed=completed, loss=loss)


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on standard output; the first column names the row."""
    table = Table(title=Text(title))
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left")
    for row in rows:
        table.add_row(*map(Text, row))  # which takes no markup: names of labels may look like it
    Console().print(table)
