"""Runs in several processes, started by torchrun for real: `python -m torch.distributed.run`."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from model.checkpoint import WEIGHTS, read_checkpoint
from tests.conftest import ROOT
from tests.training.article.test_trainer import LIMIT_S, progress_of
from tests.training.conftest import Command
from training.config import TrainingConfig
from training.launch import LaunchError, Torchrun, launch

PROCESSES = 2
# Batches of 11 and a last one of 10: the shares of the two processes are of different sizes.
OPTIONS = ("--epochs", "3", "--batch-size", "11", "--snapshot-every-s", "0.001")
Torchruns = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def torchrun(mnist_slice: Path) -> Iterator[Torchruns]:
    """`python -m training` on the slice in two processes, with options of torchrun first."""
    started: list[subprocess.Popen[str]] = []

    def start(run_dir: Path, *options: str, restarts: int = 0) -> "subprocess.Popen[str]":
        command = [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
            *("--nproc-per-node", str(PROCESSES), "--max-restarts", str(restarts)),
            *("-m", "training", "--data-dir", str(mnist_slice), "--run-dir", str(run_dir)),
            *("--accelerator", "cpu", "--hidden", "16", "--latent", "4", "--no-evaluate", *options),
        ]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        started.append(
            subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
        )
        return started[-1]

    yield start
    for process in started:
        process.terminate()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


@pytest.fixture(scope="module")
def whole(torchrun: Torchruns, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run in two processes that nothing happened to."""
    folder = tmp_path_factory.mktemp("whole")
    process = torchrun(folder, *OPTIONS)
    assert process.wait(LIMIT_S) == 0, process.communicate()[1]
    return folder


def test_torchrun_takes_the_steps_of_one_process(
    train_command: Command, whole: Path, tmp_path: Path
) -> None:
    assert train_command(tmp_path, *OPTIONS).wait(LIMIT_S) == 0
    one, two = (
        read_checkpoint(folder / "checkpoint").metrics["test"]["bound"]["negative_elbo"]
        for folder in (tmp_path, whole)
    )
    assert two == pytest.approx(one, rel=1e-4)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes by /proc")
@pytest.mark.parametrize(
    "restarts",
    [
        pytest.param(0, id="resumed by hand", marks=pytest.mark.slow),
        pytest.param(1, id="restarted by torchrun"),
    ],
)
def test_run_that_lost_a_process_ends_as_one_that_did_not(
    torchrun: Torchruns, whole: Path, tmp_path: Path, restarts: int
) -> None:
    lost = torchrun(tmp_path, *OPTIONS, restarts=restarts)
    wait_for_the_second_epoch(tmp_path, lost)
    os.kill(process_of_rank(1, lost.pid), signal.SIGKILL)
    stderr = lost.communicate(timeout=LIMIT_S)[1]
    if restarts:
        assert lost.returncode == 0, stderr
    else:
        assert lost.returncode != 0
        assert "Another of the 2 processes of this run was lost, so this one ends too; " in stderr
        assert not (tmp_path / "checkpoint").exists()
        assert torchrun(tmp_path, *OPTIONS, "--resume").wait(LIMIT_S) == 0
    assert "resumed in epoch" in (tmp_path / "train.log").read_text()
    weights = [(folder / "checkpoint" / WEIGHTS).read_bytes() for folder in (tmp_path, whole)]
    assert weights[0] == weights[1]


def wait_for_the_second_epoch(run_dir: Path, process: "subprocess.Popen[str]") -> None:
    limit = time.monotonic() + LIMIT_S
    while time.monotonic() < limit:
        assert process.poll() is None, process.communicate()[1]
        progress = progress_of(run_dir)
        if progress and progress.epoch >= 1 and progress.step > 10:
            return
        time.sleep(0.01)
    raise AssertionError("training did not come to the second epoch")


def process_of_rank(rank: int, parent: int) -> int:
    """The process with that rank among those that torchrun started."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    for child in children:
        if f"RANK={rank}\0".encode() in b"\0" + Path(f"/proc/{child}/environ").read_bytes():
            return int(child)
    raise AssertionError(f"no process of rank {rank} among {children}")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"preset": "sharp"}, "The preset sharp trains in one process, and torchrun started 8"),
        ({"devices": 2}, "The option --devices 2 was given, but torchrun says itself how many"),
    ],
)
@pytest.mark.usefixtures("eight_processes")
def test_launch_that_contradicts_torchrun_raises(options: dict[str, object], sentence: str) -> None:
    with pytest.raises(LaunchError, match=sentence):
        launch(TrainingConfig.model_validate(options))


@pytest.fixture
def eight_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What each of eight processes on two hosts finds, after the second restart."""
    for name, value in {
        "TORCHELASTIC_RUN_ID": "run",
        "WORLD_SIZE": "8",
        "LOCAL_WORLD_SIZE": "4",
        "TORCHELASTIC_RESTART_COUNT": "2",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("eight_processes")
def test_torchrun_is_read_from_what_it_sets() -> None:
    assert Torchrun.read() == Torchrun(processes=8, local_processes=4, restarts=2)


def test_launch_without_torchrun_is_one_process_as_configured() -> None:
    assert Torchrun.read() is None
    config = TrainingConfig(accelerator="cpu", precision="bf16-mixed")
    fabric, same = launch(config)
    assert (fabric.world_size, same) == (1, config)
