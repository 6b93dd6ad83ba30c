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
from training.data import LabelledImages, load_mnist
from training.sharp.batches import Lesson

TINY = {"hidden": (16,), "latent": 4, "epochs": 2, "batch_size": 50}
Command = Callable[..., subprocess.Popen[str]]
MakeTrainer = Callable[..., Trainer]


@pytest.fixture(scope="session")
def mnist(mnist_slice: Path) -> tuple[LabelledImages, LabelledImages]:
    return load_mnist(mnist_slice, train=True), load_mnist(mnist_slice, train=False)


@pytest.fixture
def make_trainer(tmp_path: Path, mnist: tuple[LabelledImages, LabelledImages]) -> MakeTrainer:
    """A trainer of a tiny network in this process; keyword arguments are configuration fields."""

    def make(**changes: object) -> Trainer:
        fields = {**TINY, "run_dir": tmp_path / "run", **changes}
        config = TrainingConfig.model_validate(fields)
        config.run_dir.mkdir(exist_ok=True)
        return Trainer(config, Fabric(accelerator="cpu", devices=1), *mnist)

    return make


@pytest.fixture
def train_command(mnist_slice: Path) -> Iterator[Command]:
    """`python -m training` on the slice as a process of its own."""
    started: list[subprocess.Popen[str]] = []

    def start(run_dir: Path, *options: str, **environment: str) -> subprocess.Popen[str]:
        command = [
            *(sys.executable, "-m", "training"),
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
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


@pytest.fixture
def lesson(mnist: tuple[LabelledImages, LabelledImages]) -> Lesson:
    """Batches of 50 digits of the slice, with noise for 6 latent dimensions."""
    return Lesson(mnist[0], 50, 10, 6, torch.Generator().manual_seed(0), torch.device("cpu"))
