"""What a person at the terminal sees of a run: log lines and a live progress bar."""

import logging
from collections.abc import Mapping
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


class EpochBar:
    """The progress bar of one epoch: loss, its parts, time left."""

    def __init__(self, epoch: int, epochs: int, steps: int, enabled: bool) -> None:
        self._bar = ProgressBar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[loss]}"),
            console=CONSOLE,
            transient=True,
            disable=not enabled,
        )
        self._task = self._bar.add_task(f"epoch {epoch}/{epochs}", total=steps, loss="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()

    def update(self, progress: Progress) -> None:
        """Show the averages of the epoch so far."""
        self._bar.update(self._task, completed=progress.step, loss=loss_text(progress.loss.mean()))
