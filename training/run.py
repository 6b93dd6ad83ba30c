"""One run: trains with the chosen preset and measures the checkpoint."""

from contextlib import nullcontext

from lightning_fabric import Fabric

from model.checkpoint import Checkpoint
from training.article.trainer import Trainer
from training.config import TrainingConfig
from training.data import load_mnist
from training.evaluate import EvaluationConfig, evaluate
from training.launch import launch, name_lost_process
from training.lock import locked
from training.sharp.pipeline import Pipeline
from training.sharp.recipe import SHARP


def train(config: TrainingConfig) -> Checkpoint | None:
    """Train, and measure the samples; the checkpoint, or None in a process other than the first.

    Raises:
        Interrupted: a stop signal came; the run can be resumed.
        CheckpointError, DataError, DivergenceError, LaunchError, LockedError, SnapshotError,
        OSError: the run failed.
    """
    fabric, config = launch(config)
    with locked(config.run_dir) if fabric.is_global_zero else nullcontext():
        return _train(config, fabric)


def _train(config: TrainingConfig, fabric: Fabric) -> Checkpoint | None:
    with fabric.rank_zero_first(local=True):  # one process downloads MNIST for all of a host
        digits, test = (load_mnist(config.data_dir, train) for train in (True, False))
    runner = (
        Trainer(config, fabric, digits, test)
        if config.preset == "article"
        else Pipeline(config, SHARP, digits, test, fabric.device)
    )
    with name_lost_process(fabric):
        checkpoint = runner.fit()
    if checkpoint and config.evaluate and config.conditional:
        evaluate(
            EvaluationConfig(
                checkpoint=checkpoint.folder,
                data_dir=config.data_dir,
                out_dir=config.run_dir / "evaluation",
                cache_dir=config.run_dir.parent / "judges",
                update=True,
            )
        )
    return checkpoint
