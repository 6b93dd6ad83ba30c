"""The folder of a run: a new one for each run, the last one to resume, and the options in it."""

import json
from pathlib import Path

from pydantic import ValidationError

from model.atomic import replace_file
from training.config import RUNS, TrainingConfig

OPTIONS = "options.json"  # of a run, in its folder
NOT_KEPT = {"resume", "run_dir"}  # options that are not of the run itself


class NothingToResumeError(Exception):
    """No folder holds a run; the message is one full sentence."""


def place(config: TrainingConfig, restarted: bool = False) -> TrainingConfig:
    """The options of a run with its folder, which exists then.

    A new run gets the next free number, unless --run-dir names a folder. A resumed run has the
    options that it was started with, but for those that are given now.

    Args:
        config: as typed.
        restarted: continue the last run if there is one, as after the loss of a process.
    Raises:
        NothingToResumeError: --resume was given alone, and there is no run.
        OSError: the folder cannot be made.
    """
    if not (config.resume or restarted):
        return _new(config)
    given = "run_dir" in config.model_fields_set
    found = config.run_dir if given else _last(config)
    if restarted and (found is None or not _has_run(found)):
        return _new(config)
    if found is None:
        raise NothingToResumeError(
            f"There is nothing to resume: no folder in {RUNS}/ holds a run that saved something; "
            "start one without --resume, or pass its --run-dir."
        )
    return _with_kept_options(config, found)


def _new(config: TrainingConfig) -> TrainingConfig:
    """With the first folder that does not exist, or with the one that was named."""
    first = folder = config.run_dir
    number = 1
    while "run_dir" not in config.model_fields_set:
        try:
            folder.mkdir(parents=True)
            break
        except FileExistsError:
            number += 1
            folder = first.with_name(f"{first.name}-{number}")
    folder.mkdir(parents=True, exist_ok=True)
    if not _has_run(folder):
        kept = config.model_dump(mode="json", exclude_unset=True, exclude=NOT_KEPT)
        replace_file(folder / OPTIONS, (json.dumps(kept, indent=2) + "\n").encode())
    return config.model_copy(update={"run_dir": folder})


def _last(config: TrainingConfig) -> Path | None:
    """The folder in `runs` whose run saved something last, of the preset if one was given."""
    wanted = config.preset if "preset" in config.model_fields_set else None
    found = [
        (_saved(folder), folder)
        for folder in RUNS.glob("*/")
        if _has_run(folder) and wanted in (None, _kept(folder).get("preset", "article"))
    ]
    return max(found)[1] if found else None


def _has_run(folder: Path) -> bool:
    return TrainingConfig(run_dir=folder).can_resume


def _saved(folder: Path) -> float:
    """When a run saved something last, in seconds."""
    here = TrainingConfig(run_dir=folder)
    return max(path.stat().st_mtime for path in (here.snapshot, here.stages) if path.exists())


def _with_kept_options(config: TrainingConfig, folder: Path) -> TrainingConfig:
    typed = config.model_dump(exclude_unset=True)
    together = {**_kept(folder), **typed, "run_dir": folder, "resume": True}
    try:
        return TrainingConfig.model_validate(together)
    except ValidationError:  # options that contradict those of the run: as typed, to be refused
        return config.model_copy(update={"run_dir": folder, "resume": True})


def _kept(folder: Path) -> dict[str, object]:
    try:
        kept = json.loads((folder / OPTIONS).read_text())
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}
