"""The training loop, in this process and as the command that a user types."""

import io
import json
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import safetensors
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch._dynamo.utils import counters

from model.checkpoint import SAMPLES, WEIGHTS, read_checkpoint
from tests.training.conftest import LIMIT_S, Command, MakeTrainer
from training.article.trainer import DivergenceError
from training.interrupt import Interrupted, StopSwitch
from training.snapshot import Progress, SnapshotError


def weights(run_dir: Path) -> bytes:
    return (run_dir / "checkpoint" / WEIGHTS).read_bytes()


def loss(run_dir: Path) -> float:
    """The test loss of a finished run."""
    metrics = read_checkpoint(run_dir / "checkpoint").metrics
    return float(metrics["test"]["bound"]["negative_elbo"])


def history(run_dir: Path) -> list[dict[str, object]]:
    """The losses of all epochs of a finished run."""
    epochs = read_checkpoint(run_dir / "checkpoint").metrics["history"]
    return [{**epoch, "seconds": 0} for epoch in epochs]


@pytest.fixture(scope="module")
def finished(make_trainer: MakeTrainer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of two epochs."""
    run_dir = tmp_path_factory.mktemp("finished")
    make_trainer(run_dir).fit()
    return run_dir


def test_fit_lowers_the_loss(finished: Path) -> None:
    first, last = read_checkpoint(finished / "checkpoint").metrics["history"]
    assert last["train"]["negative_elbo"] < 0.95 * first["train"]["negative_elbo"]
    assert last["test"]["negative_elbo"] < first["test"]["negative_elbo"]


def test_fit_writes_checkpoint_samples_and_scalars(finished: Path) -> None:
    checkpoint = read_checkpoint(finished / "checkpoint")
    assert checkpoint.manifest.provenance.train_images == 1000
    assert set(checkpoint.manifest.provenance.versions) >= {"python", "torch", "onnxruntime"}
    bound = checkpoint.metrics["test"]["bound"]
    assert bound["negative_elbo"] == pytest.approx(bound["reconstruction_nll"] + bound["kl"])
    for sheet in ("samples/epoch-001.png", "samples/epoch-002.png", f"checkpoint/{SAMPLES}"):
        assert Image.open(io.BytesIO((finished / sheet).read_bytes())).size == (1120, 280)

    scalars = EventAccumulator(str(finished / "tensorboard"))
    scalars.Reload()
    for part in ("negative_elbo", "reconstruction_nll", "kl"):
        for split in ("train", "test", "test_at_mean"):
            assert [event.step for event in scalars.Scalars(f"{part}/{split}")] == [1, 2]
    drawn = scalars.Scalars("negative_elbo/test")[-1].value
    assert drawn == pytest.approx(bound["negative_elbo"], rel=1e-5)


def test_fit_same_seed_same_weights_other_seed_other_weights(
    make_trainer: MakeTrainer, finished: Path, tmp_path: Path
) -> None:
    for seed in (0, 1):
        make_trainer(tmp_path / str(seed), seed=seed).fit()
    assert weights(tmp_path / "0") == weights(finished)
    assert weights(tmp_path / "1") != weights(finished)


def test_fit_resumed_run_takes_the_same_steps(
    make_trainer: MakeTrainer, finished: Path, tmp_path: Path
) -> None:
    broken = make_trainer(tmp_path)
    with StopSwitch() as switch:
        original = broken._step

        def step_and_interrupt(indices: torch.Tensor, stop: bool) -> bool:
            switch.requested = broken.progress.step == 6
            return original(indices, stop or switch.requested)

        broken._step = step_and_interrupt  # type: ignore[method-assign]
        with pytest.raises(Interrupted, match="Stopped in epoch 1 after step 7; everything is"):
            broken.fit()
    resumed = make_trainer(tmp_path, resume=True)
    assert resumed.progress.step == 7
    resumed.fit()
    assert weights(tmp_path) == weights(finished)
    assert history(tmp_path) == history(finished)


def test_fit_finished_run_continues_for_more_epochs(
    make_trainer: MakeTrainer, finished: Path, tmp_path: Path
) -> None:
    make_trainer(tmp_path, epochs=1).fit()
    make_trainer(tmp_path, epochs=2, resume=True).fit()
    assert weights(tmp_path) == weights(finished)


def test_second_run_in_the_same_folder_raises(make_trainer: MakeTrainer, finished: Path) -> None:
    with pytest.raises(SnapshotError, match="already holds a run; continue it with --resume"):
        make_trainer(finished)


def test_fit_diverging_loss_raises(make_trainer: MakeTrainer, tmp_path: Path) -> None:
    sentence = r"start again with a lower --learning-rate than 1e\+"
    with pytest.raises(DivergenceError, match=sentence):
        make_trainer(tmp_path, learning_rate=1e10).fit()


def test_checkpoint_option_replaces_the_checkpoint_in_that_folder(
    make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    served = tmp_path / "served"  # a folder that a service watches, for example
    for seed in (1, 2):
        make_trainer(tmp_path / str(seed), seed=seed, epochs=1, checkpoint=served).fit()
    assert read_checkpoint(served).manifest.provenance.seed == 2
    assert not (tmp_path / "2" / "checkpoint").exists()


def test_mixed_precision_reaches_nearly_the_same_loss(
    make_trainer: MakeTrainer, finished: Path, tmp_path: Path
) -> None:
    make_trainer(tmp_path, precision="bf16-mixed").fit()
    assert loss(tmp_path) != loss(finished)
    assert loss(tmp_path) == pytest.approx(loss(finished), rel=0.01)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="torch compiles with g++, which is missing")
def test_compiled_step_reaches_the_same_loss(
    make_trainer: MakeTrainer, finished: Path, tmp_path: Path
) -> None:
    counters.clear()
    make_trainer(tmp_path, compile=True).fit()
    assert counters["stats"]["unique_graphs"] >= 1
    assert loss(tmp_path) == pytest.approx(loss(finished), rel=1e-4)


def progress_of(run_dir: Path) -> Progress | None:
    """The progress in the snapshot on the disk, None if there is none yet."""
    try:
        with safetensors.safe_open(run_dir / "snapshot.safetensors", framework="pt") as file:
            return Progress(**json.loads(file.metadata()["progress"]))
    except (FileNotFoundError, RuntimeError):  # or replaced while it was being opened
        return None


def wait_for_progress(
    process: subprocess.Popen[str], run_dir: Path, epoch: int = 0, step: int = 0
) -> None:
    """Wait until a run has saved a step after `step` in an epoch from `epoch` on."""
    limit = time.monotonic() + LIMIT_S
    while time.monotonic() < limit:
        assert process.poll() is None, process.communicate()[1]
        progress = progress_of(run_dir)
        if progress and progress.epoch >= epoch and progress.step > step:
            return
        time.sleep(0.01)
    raise AssertionError(f"training did not reach step {step} of epoch {epoch}")


def test_killed_run_resumes_exactly(train_command: Command, tmp_path: Path) -> None:
    options = ("--epochs", "3", "--batch-size", "10")
    assert train_command(tmp_path / "whole", *options).wait(LIMIT_S) == 0

    killed = train_command(tmp_path / "killed", *options, "--snapshot-every-s", "0.02")
    wait_for_progress(killed, tmp_path / "killed", epoch=1, step=10)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait(LIMIT_S) == -signal.SIGKILL
    left = progress_of(tmp_path / "killed")
    assert left is not None
    assert not (tmp_path / "killed" / "checkpoint").exists()

    resumed = train_command(tmp_path / "killed", *options, "--resume")
    stderr = resumed.communicate(timeout=LIMIT_S)[1]
    assert resumed.returncode == 0
    part = r"\d+\.\d\d \(reconstruction \d+\.\d\d \+ KL \d+\.\d\d\)"
    last = rf"epoch 3/3  train {part}  test {part}  nats  \d+\.\d s"
    for text in (stderr, (tmp_path / "killed" / "train.log").read_text()):
        assert f"resumed in epoch {left.epoch + 1} after step {left.step}" in text
        assert re.search(last, text)
    assert weights(tmp_path / "whole") == weights(tmp_path / "killed")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_run_saves_and_says_how_to_continue(
    train_command: Command, tmp_path: Path, number: signal.Signals
) -> None:
    process = train_command(tmp_path, "--epochs", "1000", "--snapshot-every-s", "0.001")
    wait_for_progress(process, tmp_path)
    process.send_signal(number)
    stderr = process.communicate(timeout=LIMIT_S)[1]
    assert process.returncode == 130
    left = progress_of(tmp_path)
    assert left is not None
    sentence = (
        f"Stopped in epoch {left.epoch + 1} after step {left.step}; "
        "everything is saved, continue with --resume."
    )
    assert sentence in stderr
    assert "Traceback" not in stderr
    assert sentence in (tmp_path / "train.log").read_text()


def test_run_without_data_and_network_ends_with_one_sentence(
    train_command: Command, tmp_path: Path
) -> None:
    no_network = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
    process = train_command(tmp_path, "--data-dir", str(tmp_path / "none"), **no_network)
    stderr = process.communicate(timeout=LIMIT_S)[1]
    assert process.returncode == 1
    assert "pass --data-dir with a folder that contains the files MNIST/raw" in stderr
    assert "Traceback" not in stderr
