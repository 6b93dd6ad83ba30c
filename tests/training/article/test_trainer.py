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
from lightning_fabric import Fabric
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch._dynamo.utils import counters

from model.checkpoint import SAMPLES, WEIGHTS, read_checkpoint
from tests.training.conftest import TINY, Command, MakeTrainer
from training.article.trainer import DivergenceError, Trainer
from training.config import TrainingConfig
from training.data import LabelledImages
from training.interrupt import Interrupted, StopSwitch
from training.snapshot import Progress, SnapshotError

LIMIT_S = 120


def weights(run_dir: Path) -> bytes:
    return (run_dir / "checkpoint" / WEIGHTS).read_bytes()


def test_fit_loss_falls(make_trainer: MakeTrainer) -> None:
    checkpoint = make_trainer(epochs=4).fit()
    assert checkpoint is not None
    losses = [epoch["train"]["negative_elbo"] for epoch in checkpoint.metrics["history"]]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.6 * losses[0]


def test_fit_leaves_everything_that_is_promised(make_trainer: MakeTrainer, tmp_path: Path) -> None:
    trainer = make_trainer()
    trainer.fit()
    run = tmp_path / "run"
    checkpoint = read_checkpoint(run / "checkpoint")
    assert checkpoint.manifest.provenance.train_images == 1000
    assert set(checkpoint.manifest.provenance.versions) >= {"python", "torch", "onnxruntime"}
    bound = checkpoint.metrics["test"]["bound"]
    assert bound["negative_elbo"] == pytest.approx(bound["reconstruction_nll"] + bound["kl"])
    for sheet in ("samples/epoch-001.png", "samples/epoch-002.png", f"checkpoint/{SAMPLES}"):
        assert Image.open(io.BytesIO((run / sheet).read_bytes())).size == (280, 280)

    scalars = EventAccumulator(str(run / "tensorboard"))
    scalars.Reload()
    for part in ("negative_elbo", "reconstruction_nll", "kl"):
        for split in ("train", "test", "test_at_mean"):
            assert [event.step for event in scalars.Scalars(f"{part}/{split}")] == [1, 2]
    drawn = scalars.Scalars("negative_elbo/test")[-1].value
    assert drawn == pytest.approx(bound["negative_elbo"], rel=1e-5)


def test_fit_same_seed_same_weights_other_seed_other_weights(
    make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        make_trainer(run_dir=tmp_path / name, seed=seed, epochs=1).fit()
    assert weights(tmp_path / "a") == weights(tmp_path / "b")
    assert weights(tmp_path / "a") != weights(tmp_path / "c")


def test_fit_unconditional(make_trainer: MakeTrainer, tmp_path: Path) -> None:
    make_trainer(conditional=False, epochs=1).fit()
    checkpoint = read_checkpoint(tmp_path / "run" / "checkpoint")
    assert not checkpoint.config.conditional
    assert "unconditional" in (checkpoint.folder / "README.md").read_text()


def test_fit_resumed_run_takes_the_same_steps(make_trainer: MakeTrainer, tmp_path: Path) -> None:
    make_trainer(run_dir=tmp_path / "whole").fit()

    broken = make_trainer(run_dir=tmp_path / "broken")
    with StopSwitch() as switch:
        original = broken._step

        def step_and_interrupt(indices: torch.Tensor, stop: bool) -> bool:
            switch.requested = broken.progress.step == 6
            return original(indices, stop or switch.requested)

        broken._step = step_and_interrupt  # type: ignore[method-assign]
        with pytest.raises(Interrupted, match="Stopped in epoch 1 after step 7; everything is"):
            broken.fit()
    resumed = make_trainer(run_dir=tmp_path / "broken", resume=True)
    assert resumed.progress.step == 7
    resumed.fit()
    assert weights(tmp_path / "whole") == weights(tmp_path / "broken")
    whole, broken_history = (
        read_checkpoint(tmp_path / name / "checkpoint").metrics["history"]
        for name in ("whole", "broken")
    )
    for expected, found in zip(whole, broken_history, strict=True):
        assert {**expected, "seconds": 0} == {**found, "seconds": 0}


def test_fit_finished_run_can_be_taken_further(make_trainer: MakeTrainer, tmp_path: Path) -> None:
    make_trainer(run_dir=tmp_path / "whole", epochs=3).fit()
    make_trainer(run_dir=tmp_path / "longer", epochs=2).fit()
    make_trainer(run_dir=tmp_path / "longer", epochs=3, resume=True).fit()
    assert weights(tmp_path / "whole") == weights(tmp_path / "longer")


def test_second_run_in_the_same_folder_raises(make_trainer: MakeTrainer) -> None:
    make_trainer(epochs=1).fit()
    with pytest.raises(SnapshotError, match="already holds a run; continue it with --resume"):
        make_trainer(epochs=1)


def test_fit_diverging_loss_raises(make_trainer: MakeTrainer) -> None:
    with pytest.raises(
        DivergenceError, match=r"start again with a lower --learning-rate than 1e\+"
    ):
        make_trainer(learning_rate=1e10).fit()


def progress_of(run_dir: Path) -> Progress | None:
    """What the snapshot on the disk says, None if there is none yet."""
    try:
        with safetensors.safe_open(run_dir / "snapshot.safetensors", framework="pt") as file:
            return Progress(**json.loads(file.metadata()["progress"]))
    except (FileNotFoundError, RuntimeError):  # or replaced while it was being opened
        return None


def wait_for_the_middle_of_an_epoch(process: subprocess.Popen[str], run_dir: Path) -> None:
    limit = time.monotonic() + LIMIT_S
    while time.monotonic() < limit:
        assert process.poll() is None, process.communicate()[1]
        progress = progress_of(run_dir)
        if progress and progress.epoch >= 1 and 10 < progress.step < 90:
            return
        time.sleep(0.01)
    raise AssertionError("training did not come to the middle of an epoch")


def test_killed_run_resumes_exactly(train_command: Command, tmp_path: Path) -> None:
    options = ("--epochs", "4", "--batch-size", "10", "--snapshot-every-s", "0.001")
    assert train_command(tmp_path / "whole", *options).wait(LIMIT_S) == 0

    killed = train_command(tmp_path / "killed", *options)
    wait_for_the_middle_of_an_epoch(killed, tmp_path / "killed")
    killed.send_signal(signal.SIGKILL)
    assert killed.wait(LIMIT_S) == -signal.SIGKILL
    left = progress_of(tmp_path / "killed")
    assert left is not None
    assert 0 < left.step < 100
    assert not (tmp_path / "killed" / "checkpoint").exists()

    resumed = train_command(tmp_path / "killed", *options, "--resume")
    assert resumed.wait(LIMIT_S) == 0
    assert f"resumed in epoch {left.epoch + 1} after step {left.step}" in resumed.communicate()[1]
    assert weights(tmp_path / "whole") == weights(tmp_path / "killed")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_run_saves_and_says_how_to_go_on(
    train_command: Command, tmp_path: Path, number: signal.Signals
) -> None:
    process = train_command(tmp_path, "--epochs", "1000", "--snapshot-every-s", "0.001")
    limit = time.monotonic() + LIMIT_S
    while not progress_of(tmp_path) and time.monotonic() < limit:
        time.sleep(0.01)
    process.send_signal(number)
    assert process.wait(LIMIT_S) == 130
    stderr = process.communicate()[1]
    left = progress_of(tmp_path)
    assert left is not None
    sentence = (
        f"Stopped in epoch {left.epoch + 1} after step {left.step}; "
        "everything is saved, continue with --resume."
    )
    assert sentence in stderr
    assert "Traceback" not in stderr
    assert sentence in (tmp_path / "train.log").read_text()


def test_log_has_a_line_for_each_epoch_with_both_parts(
    train_command: Command, tmp_path: Path
) -> None:
    process = train_command(tmp_path, "--epochs", "2")
    assert process.wait(LIMIT_S) == 0
    stderr = process.communicate()[1]
    part = r"\d+\.\d\d \(reconstruction \d+\.\d\d \+ KL \d+\.\d\d\)"
    line = rf"epoch 2/2  train {part}  test {part}  nats  \d+\.\d s"
    for text in (stderr, (tmp_path / "train.log").read_text()):
        assert re.search(line, text)
        assert f"CVAE_CHECKPOINT={tmp_path / 'checkpoint'} make serve" in text


def test_no_data_and_no_network_is_one_sentence(train_command: Command, tmp_path: Path) -> None:
    nowhere = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
    process = train_command(tmp_path, "--data-dir", str(tmp_path / "none"), **nowhere)
    assert process.wait(LIMIT_S) == 1
    stderr = process.communicate()[1]
    assert "pass --data-dir with a folder that holds the four files" in stderr
    assert "Traceback" not in stderr


def test_two_processes_take_the_steps_of_one(train_command: Command, tmp_path: Path) -> None:
    options = ("--epochs", "2", "--batch-size", "64")  # 1,000 images: the last batch has 40
    assert train_command(tmp_path / "one", *options).wait(LIMIT_S) == 0
    two = train_command(tmp_path / "two", *options, "--devices", "2")
    assert two.wait(LIMIT_S) == 0, two.communicate()[1]
    one, both = (read_checkpoint(tmp_path / name / "checkpoint").metrics for name in ("one", "two"))
    expected, found = (metrics["test"]["bound"]["negative_elbo"] for metrics in (one, both))
    assert found == pytest.approx(expected, rel=1e-4)


def test_checkpoint_can_be_written_elsewhere(make_trainer: MakeTrainer, tmp_path: Path) -> None:
    """Into a folder that a service watches, say; an existing checkpoint there is replaced."""
    for seed in (1, 2):
        make_trainer(
            run_dir=tmp_path / str(seed), seed=seed, epochs=1, checkpoint=tmp_path / "served"
        ).fit()
    assert read_checkpoint(tmp_path / "served").manifest.provenance.seed == 2
    assert not (tmp_path / "2" / "checkpoint").exists()


def test_mixed_precision_comes_near_the_same_loss(
    make_trainer: MakeTrainer, tmp_path: Path, mnist: tuple[LabelledImages, LabelledImages]
) -> None:
    config = TrainingConfig.model_validate(
        {**TINY, "run_dir": tmp_path / "mixed", "precision": "bf16-mixed"}
    )
    config.run_dir.mkdir()
    fabric = Fabric(accelerator="cpu", devices=1, precision=config.precision)
    mixed = Trainer(config, fabric, *mnist).fit()
    exact = make_trainer().fit()
    assert mixed is not None
    assert exact is not None
    losses = [each.metrics["test"]["bound"]["negative_elbo"] for each in (mixed, exact)]
    assert losses[0] != losses[1]
    assert losses[0] == pytest.approx(losses[1], rel=0.01)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="torch compiles with g++, which is missing")
def test_compiled_step_learns_the_same(make_trainer: MakeTrainer, tmp_path: Path) -> None:
    trainers = [
        make_trainer(run_dir=tmp_path / name, epochs=1, compile=name == "compiled")
        for name in ("compiled", "eager")
    ]
    counters.clear()
    compiled, eager = (trainer.fit() for trainer in trainers)
    assert compiled is not None
    assert eager is not None
    assert counters["stats"]["unique_graphs"] >= 1
    losses = [each.metrics["test"]["bound"]["negative_elbo"] for each in (compiled, eager)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
