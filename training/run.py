"""One run: trains with the chosen preset, writes its report and measures the checkpoint."""

import logging
from contextlib import nullcontext

from lightning_fabric import Fabric

from model.checkpoint import Checkpoint, check_replaceable
from training.article.trainer import Trainer
from training.config import DataOptions, TrainingConfig
from training.console import start_log
from training.data import DataSet, load_data
from training.data.sheet import data_sheet
from training.evaluate import EvaluationConfig, evaluate, unmeasurable
from training.launch import launch, name_lost_process
from training.lock import locked
from training.place import place
from training.report.page import write_report
from training.sharp.pipeline import Pipeline
from training.sharp.recipe import SHARP

PREVIEW = "data.png"
log = logging.getLogger(__name__)


def start(config: TrainingConfig) -> tuple[Fabric, TrainingConfig]:
    """Join the processes of a run and choose its folder, the same for all, where the log begins.

    Raises:
        LaunchError: the processes cannot work together.
        OSError: the folder cannot be made.
    """
    fabric, restarted = launch(config)
    chosen = place(config, restarted) if fabric.is_global_zero else config
    placed: TrainingConfig = fabric.broadcast(chosen)
    start_log(placed.run_dir)
    return fabric, placed


def train(config: TrainingConfig, fabric: Fabric) -> Checkpoint | None:
    """Train, and measure the samples; the checkpoint, or None in a process other than the first.

    Raises:
        Interrupted: a stop signal came; the run can be resumed.
        CheckpointError, DataError, DivergenceError, LaunchError, LockedError, SnapshotError,
        OSError: the run failed.
    """
    with locked(config.run_dir) if fabric.is_global_zero else nullcontext():
        return _train(config, fabric)


def _train(config: TrainingConfig, fabric: Fabric) -> Checkpoint | None:
    check_replaceable(config.checkpoint_folder)  # now, and not after the training
    with fabric.rank_zero_first(local=True):  # one process downloads the data for all of a host
        data = load_data(config)
    runner = (
        Trainer(config, fabric, data)
        if config.preset == "article"
        else Pipeline(config, SHARP.shortened(config.length), data, fabric.device)
    )
    if fabric.is_global_zero:  # now that the folder is known to be of this run
        _preview(config, data)
    with name_lost_process(fabric):
        checkpoint = runner.fit()
    if checkpoint is None:
        return None
    page = write_report(checkpoint, data, config.run_dir / "report", config.seed, fabric.device)
    log.info("wrote the report %s", page)
    if config.evaluate:
        checkpoint = _measure(config, checkpoint, data)
    return checkpoint


def _preview(config: TrainingConfig, data: DataSet) -> None:
    """Say what is trained on, and show it."""
    for note in data.notes:
        log.warning("%s", note)
    (config.run_dir / PREVIEW).write_bytes(data_sheet(data))
    log.info(
        "%s: %d training and %d test pictures of %d labels, %d x %d pixels; %s shows some",
        *(data.name, len(data.train), len(data.test), data.classes, data.size, data.size),
        config.run_dir / PREVIEW,
    )


def _measure(config: TrainingConfig, checkpoint: Checkpoint, data: DataSet) -> Checkpoint:
    """Measure the samples, where there is enough to measure them with."""
    if reason := unmeasurable(checkpoint, data):
        log.warning("The samples are not measured: %s", reason)
        return checkpoint
    options = {name: getattr(config, name) for name in config.model_fields_set}
    evaluate(
        EvaluationConfig(
            checkpoint=checkpoint.folder,
            out_dir=config.run_dir / "evaluation",
            cache_dir=config.run_dir.parent / "judges",
            update=True,
            **{name: value for name, value in options.items() if name in DataOptions.model_fields},
        )
    )
    return checkpoint
