"""`python -m training`: train a CVAE and write a checkpoint folder."""

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from shlex import quote

from training.command import command
from training.config import EXIT_FAILED, EXIT_INTERRUPTED, TrainingConfig, read_options

DESCRIPTION = """
Train a CVAE on labelled pictures, MNIST by default, and write a checkpoint folder. The preset
article takes 2 minutes on 2 CPU cores and reaches a test loss of about 101 nats on MNIST. The
preset sharp draws better digits and takes about an hour; it has its own settings and takes none of
the options from --epochs on.
"""


@command
def main(arguments: Sequence[str]) -> int:
    """Run the command; the exit code: 0 done, 1 failed, 130 interrupted.

    Args:
        arguments: as typed, without the name of the program.
    Raises:
        SystemExit: see `read_options`.
    """
    config = read_options(TrainingConfig, "cvae-digits train", DESCRIPTION, arguments)
    # Imported here so that --help and a wrong option do not wait seconds for torch.
    from model.checkpoint import CheckpointError
    from training.article.trainer import DivergenceError
    from training.data import DataError
    from training.interrupt import Interrupted
    from training.launch import LaunchError
    from training.lock import LockedError
    from training.place import NothingToResumeError
    from training.run import start, train
    from training.snapshot import SnapshotError

    log = logging.getLogger("training")
    try:
        fabric, config = start(config)
        checkpoint = train(config, fabric)
    except Interrupted as stop:
        log.warning("%s", stop)
        return EXIT_INTERRUPTED
    except (
        CheckpointError,
        DataError,
        DivergenceError,
        LaunchError,
        LockedError,
        NothingToResumeError,
        SnapshotError,
    ) as error:
        log.error("%s", error)
        return EXIT_FAILED
    except OSError as error:  # usually a full disk
        log.error(
            "The run stopped because writing %s failed (%s); all files written before are "
            "complete. Make room or grant access, then %s.",
            error.filename or config.run_dir,
            error.strerror or error,
            "continue with --resume" if config.can_resume else "run the command again",
        )
        return EXIT_FAILED
    if checkpoint:
        log.info("wrote the checkpoint %s; %s", checkpoint.folder, _next_step(config))
    return 0


def _next_step(config: TrainingConfig) -> str:
    """What the user can do with the checkpoint."""
    installed = Path(sys.argv[0]).stem == "cvae-digits"
    command = "cvae-digits serve" if installed else f"{os.path.relpath(sys.executable)} -m app"
    serve = f"serve it with `{command} --checkpoint {quote(str(config.checkpoint_folder))}`"
    if config.conditional:
        return serve
    return f"{serve}; without labels it draws any of them: `GET /generate?count=12`"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
