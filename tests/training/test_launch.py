"""Runs in several processes, started by torchrun itself: `python -m torch.distributed.run`."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from model.checkpoint import WEIGHTS
from tests.training.article.test_trainer import loss, wait_for_progress
from tests.training.conftest import LIMIT_S, Command
from training.config import TrainingConfig
from training.launch import LaunchError, Torchrun, launch

# Batches of 11 and a last one of 10: the shares of the two processes have different sizes.
OPTIONS = ("--epochs", "3", "--batch-size", "11")


def start_two(
    command: Command, run_dir: Path, *options: str, restarts: int = 0
) -> subprocess.Popen[str]:
    torchrun = (
        *("-m", "torch.distributed.run", "--standalone"),
        *("--nproc-per-node", "2", "--max-restarts", str(restarts)),
    )
    return command(run_dir, *OPTIONS, *options, torchrun=torchrun, OMP_NUM_THREADS="1")


@pytest.fixture(scope="module")
def whole(train_command: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an undisturbed run in two processes under torchrun."""
    folder = tmp_path_factory.mktemp("whole")
    process = start_two(train_command, folder)
    assert process.wait(LIMIT_S) == 0, process.communicate()[1]
    return folder


def test_two_processes_take_the_steps_of_one(
    train_command: Command, whole: Path, tmp_path: Path
) -> None:
    for devices in ("1", "2"):
        process = train_command(tmp_path / devices, *OPTIONS, "--devices", devices)
        assert process.wait(LIMIT_S) == 0, process.communicate()[1]
    assert loss(tmp_path / "2") == pytest.approx(loss(tmp_path / "1"), rel=1e-4)
    assert loss(whole) == pytest.approx(loss(tmp_path / "1"), rel=1e-4)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes by /proc")
@pytest.mark.parametrize(
    "restarts",
    [
        pytest.param(0, id="resumed by hand", marks=pytest.mark.slow),
        pytest.param(1, id="restarted by torchrun"),
    ],
)
def test_run_that_lost_a_process_ends_like_an_undisturbed_one(
    train_command: Command, whole: Path, tmp_path: Path, restarts: int
) -> None:
    often = ("--snapshot-every-s", "0.001")
    lost = start_two(train_command, tmp_path, *often, restarts=restarts)
    wait_for_progress(lost, tmp_path, epoch=1, step=10)
    os.kill(process_of_rank(1, lost.pid), signal.SIGKILL)
    stderr = lost.communicate(timeout=LIMIT_S)[1]
    if restarts:
        assert lost.returncode == 0, stderr
    else:
        assert lost.returncode != 0
        assert "Another of the 2 processes of this run was lost, so this one ends too; " in stderr
        assert not (tmp_path / "checkpoint").exists()
        assert start_two(train_command, tmp_path, "--resume").wait(LIMIT_S) == 0
    assert "resumed in epoch" in (tmp_path / "train.log").read_text()
    weights = [(folder / "checkpoint" / WEIGHTS).read_bytes() for folder in (tmp_path, whole)]
    assert weights[0] == weights[1]


def process_of_rank(rank: int, parent: int) -> int:
    """The process with that rank among those that torchrun started."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    for child in children:
        if f"RANK={rank}\0".encode() in b"\0" + Path(f"/proc/{child}/environ").read_bytes():
            return int(child)
    raise AssertionError(f"no process of rank {rank} among {children}")


@pytest.fixture
def eight_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of each of eight processes on two hosts, after the second restart."""
    for name, value in {
        "TORCHELASTIC_RUN_ID": "run",
        "WORLD_SIZE": "8",
        "LOCAL_WORLD_SIZE": "4",
        "TORCHELASTIC_RESTART_COUNT": "2",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("eight_processes")
def test_torchrun_is_read_from_the_environment() -> None:
    assert Torchrun.read() == Torchrun(processes=8, local_processes=4, restarts=2)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"preset": "sharp"}, "The preset sharp trains in one process, but torchrun started 8"),
        ({"devices": 2}, "The option --devices 2 was given, but torchrun sets the number of"),
    ],
)
@pytest.mark.usefixtures("eight_processes")
def test_launch_with_options_that_contradict_torchrun_raises(
    options: dict[str, object], sentence: str
) -> None:
    with pytest.raises(LaunchError, match=sentence):
        launch(TrainingConfig.model_validate(options))


def test_launch_without_torchrun_is_one_process_as_configured() -> None:
    assert Torchrun.read() is None
    config = TrainingConfig(accelerator="cpu", precision="bf16-mixed")
    fabric, restarted = launch(config)
    assert (fabric.world_size, restarted) == (1, False)
