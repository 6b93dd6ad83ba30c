import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric

from tests.conftest import ROOT
from training.article.trainer import Trainer
from training.config import TrainingConfig
from training.data import DataSet, LabelledImages, load_mnist

TINY = {"hidden": (16,), "latent": 4, "epochs": 2, "batch_size": 50}
CPU = torch.device("cpu")
LIMIT_S = 600  # for a process; only a hanging one takes as long
Mnist = tuple[LabelledImages, LabelledImages]
Command = Callable[..., subprocess.Popen[str]]
MakeTrainer = Callable[..., Trainer]


@pytest.fixture(scope="session")
def mnist(mnist_slice: Path) -> Mnist:
    return load_mnist(mnist_slice, train=True), load_mnist(mnist_slice, train=False)


@pytest.fixture(scope="session")
def mnist_data(mnist: Mnist) -> DataSet:
    """The slice as a data set."""
    return DataSet("MNIST", "handwritten digits", "A slice.", tuple("0123456789"), *mnist)


@pytest.fixture(scope="session")
def make_trainer(mnist_data: DataSet) -> MakeTrainer:
    """A trainer of a tiny network in this process; keyword arguments are options."""

    def make(run_dir: Path, **options: object) -> Trainer:
        config = TrainingConfig.model_validate({**TINY, "run_dir": run_dir, **options})
        run_dir.mkdir(exist_ok=True)
        fabric = Fabric(accelerator="cpu", devices=1, precision=config.precision)
        return Trainer(config, fabric, mnist_data)

    return make


@pytest.fixture(scope="module")
def train_command(mnist_slice: Path) -> Iterator[Command]:
    """`python -m training` on the slice as its own process, or as several under torchrun."""
    started: list[subprocess.Popen[str]] = []

    def start(
        run_dir: Path, *options: str, torchrun: tuple[str, ...] = (), **environment: str
    ) -> subprocess.Popen[str]:
        command = [
            *(sys.executable, *torchrun, "-m", "training"),
            *("--data-dir", str(mnist_slice), "--run-dir", str(run_dir)),
            *("--accelerator", "cpu", "--hidden", "16", "--latent", "4", "--no-evaluate", *options),
        ]
        environment = {**os.environ, **environment}
        started.append(
            subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
        )
        return started[-1]

    yield start
    for process in started:
        process.terminate()
        process.communicate()
