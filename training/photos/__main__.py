"""`python -m training.photos`: train the two networks that read photos, and keep their files."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from model.noise import MAX_SEED
from training.command import command
from training.config import EXIT_FAILED, read_options

DESCRIPTION = """
Train the two networks with which /restyle reads photos: one finds the ink of digits in a picture,
one reads what was cut out. The defaults take about a quarter of an hour on one core. A command
that was stopped continues when it is started again.
"""


class PhotosConfig(BaseModel):
    """The options of the command."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_dir: Path = Field(
        Path("data"),
        description="folder that contains MNIST/raw; if it does not, MNIST is downloaded into it",
    )
    run_dir: Path = Field(
        Path("runs/photos"), description="folder for the log, the pictures and the networks"
    )
    checkpoint: Path | None = Field(
        None, description="checkpoint folder to put the networks into (default: none)"
    )
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] = Field(
        0, description="seed of all random numbers"
    )
    threads: Annotated[int, Field(ge=1)] = Field(1, description="threads that train")


@command
def main(arguments: Sequence[str]) -> int:
    """Run the command; the exit code: 0 done, 1 failed.

    Args:
        arguments: as typed, without the name of the program.
    Raises:
        SystemExit: see `read_options`.
    """
    config = read_options(PhotosConfig, "python -m training.photos", DESCRIPTION, arguments)
    from model.checkpoint import CheckpointError
    from training.console import start_log
    from training.data import DataError
    from training.lock import LockedError
    from training.snapshot import SnapshotError

    try:
        start_log(config.run_dir)
        _run(config)
    except (CheckpointError, DataError, LockedError, SnapshotError, OSError) as error:
        logging.getLogger("training").error("%s", error)
        return EXIT_FAILED
    return 0


def _run(config: PhotosConfig) -> None:
    import torch

    from model.atomic import replace_file
    from model.checkpoint import read_checkpoint
    from training.data import load_mnist
    from training.lock import locked
    from training.photos.export import add_reader
    from training.photos.pipeline import Pipeline
    from training.photos.recipe import Recipe

    log = logging.getLogger("training")
    torch.set_num_threads(config.threads)
    checkpoint = read_checkpoint(config.checkpoint) if config.checkpoint else None
    with locked(config.run_dir):
        data = load_mnist(config.data_dir, train=True)
        files = Pipeline(data, Recipe(seed=config.seed), config.run_dir).run()
        for name, content in files.items():
            replace_file(config.run_dir / name, content)
    if checkpoint:
        changed = add_reader(checkpoint, files)
        log.info("added the reader to %s, now model %s", changed.folder, changed.model_hash)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
