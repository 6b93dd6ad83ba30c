"""One run from the options to the measured checkpoint, by whichever preset is asked for."""

from model.checkpoint import Checkpoint
from training.article.trainer import Trainer
from training.config import TrainingConfig
from training.data import load_mnist
from training.evaluate import EvaluationConfig, evaluate
from training.launch import launch, together
from training.sharp.pipeline import Course
from training.sharp.recipe import SHARP


def train(config: TrainingConfig) -> Checkpoint | None:
    """Train by the preset; the checkpoint that was written, None on other processes.

    Raises:
        Interrupted: a stop signal came; the run can be resumed.
        CheckpointError, DataError, DivergenceError, LaunchError, SnapshotError, OSError: one
            full sentence.
    """
    fabric, config = launch(config)
    with fabric.rank_zero_first(local=True):  # one process downloads, the others then read
        digits, test = (load_mnist(config.data_dir, train) for train in (True, False))
    runner = (
        Trainer(config, fabric, digits, test)
        if config.preset == "article"
        else Course(config, SHARP, digits, test, fabric.device)
    )
    with together(fabric):
        checkpoint = runner.fit()
    if checkpoint and config.evaluate and config.conditional:
        _evaluate(config, checkpoint)
    return checkpoint


def _evaluate(config: TrainingConfig, checkpoint: Checkpoint) -> None:
    """Measure the samples of a finished run, and write what was found into its checkpoint."""
    evaluate(
        EvaluationConfig(
            checkpoint=checkpoint.folder,
            data_dir=config.data_dir,
            out_dir=config.run_dir / "evaluation",
            cache_dir=config.run_dir.parent / "judges",
            update=True,
        )
    )
