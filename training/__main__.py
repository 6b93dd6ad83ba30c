"""`python -m training`: train the CVAE and write a checkpoint folder."""

import logging
import sys

from pydantic import ValidationError
from pydantic_settings import CliApp, SettingsError

from training.config import TrainingConfig

EXIT_USAGE = 2
EXIT_INTERRUPTED = 130  # what a shell reports for a command ended by Ctrl-C


def main() -> int:
    """Run the command; the exit code: 0 done, 1 failed, 2 wrong option, 130 interrupted."""
    try:
        config = CliApp.run(TrainingConfig)
    except (ValidationError, SettingsError) as error:
        print(_usage_sentence(error), file=sys.stderr)  # noqa: T201 - the log is not set up yet
        return EXIT_USAGE
    return _train(config)


def _train(config: TrainingConfig) -> int:
    # Imported here so that --help and a wrong option answer at once: torch takes seconds.
    from model.checkpoint import CheckpointError
    from training.article.trainer import DivergenceError
    from training.console import start_log
    from training.data import DataError
    from training.interrupt import Interrupted
    from training.launch import LaunchError
    from training.run import train
    from training.snapshot import SnapshotError

    start_log(config.run_dir)
    log = logging.getLogger("training")
    try:
        checkpoint = train(config)
    except Interrupted as stop:
        log.warning("%s", stop)
        return EXIT_INTERRUPTED
    except (CheckpointError, DataError, DivergenceError, LaunchError, SnapshotError) as error:
        log.error("%s", error)
        return 1
    except OSError as error:  # a full disk, above all
        where = error.filename or config.run_dir
        log.error(
            "The run stopped because the system refused %s (%s); what was written before is whole. "
            "Make room or give access, then continue with --resume.",
            where,
            error.strerror or error,
        )
        return 1
    if checkpoint:
        log.info("wrote %s; serve it: CVAE_CHECKPOINT=%s make serve", *[checkpoint.folder] * 2)
    return 0


def _usage_sentence(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return f"{error}; see --help."
    first = error.errors()[0]
    if not first["loc"]:  # about several options together
        return f"{first['msg'].removeprefix('Value error, ')}; see --help."
    option = "--" + str(first["loc"][0]).replace("_", "-")
    return f"The option {option} cannot be used: {first['msg']}; see --help."


if __name__ == "__main__":
    sys.exit(main())
