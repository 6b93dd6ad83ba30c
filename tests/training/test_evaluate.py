"""The command `python -m training.evaluate` on the slice."""

import contextlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from model.checkpoint import PRETRAINED, read_checkpoint
from tests.training.exits import exit_code
from training.__main__ import main as train
from training.evaluate import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, mnist_slice: Path) -> Path:
    """A folder with a measured copy of the bundled checkpoint and all that was written."""
    folder = tmp_path_factory.mktemp("evaluate")
    shutil.copytree(PRETRAINED, folder / "checkpoint")
    arguments = [
        *(str(folder / "checkpoint"), "--update", "--baseline", str(PRETRAINED)),
        *("--repeat", str(PRETRAINED)),
        *("--data-dir", str(mnist_slice), "--out-dir", str(folder / "out")),
        *("--cache-dir", str(folder / "judges"), "--judge-epochs", "1", "--samples", "300"),
        *("--classifier-samples", "200", "--importance-samples", "1", "--seeds", "1"),
    ]
    with (folder / "shown").open("w") as shown, contextlib.redirect_stdout(shown):
        assert main(arguments) == 0
    return folder


@pytest.fixture(scope="module")
def evaluation(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "out" / "metrics.json").read_text())["evaluation"]
    return found


def test_evaluate_writes_all_metrics(evaluation: dict[str, Any]) -> None:
    assert set(evaluation["samples"]) == {
        *("cas", "label_agreement", "frechet_distance", "precision", "recall", "per_label"),
        *("slant_correlation_same_noise", "slant_correlation_other_noise", "model", "test"),
        *("training_seed", "ink_correlation_same_noise", "ink_correlation_other_noise"),
        *("nearest_training_distance", "log_likelihood_nats", "calibrated_log_likelihood_nats"),
        *("cas_by_seed", "cas_gap", "cas_gap_standard_error", "c2st", "c2st_by_seed", "coverage"),
        *("speck_share", "frame_share", "grey_levels", "calibration"),
    }
    # It is compared with itself.
    assert evaluation["samples"] == evaluation["repeat"] == evaluation["baseline"]
    of_float = {"log_likelihood_nats", "calibrated_log_likelihood_nats", "calibration"}
    of_model = {"model", "training_seed", "test"}
    assert set(evaluation["int8"]) == set(evaluation["samples"]) - of_float - of_model
    assert set(evaluation["real"]) >= {"cas", "frechet_distance", "precision", "recall"}
    assert [row["temperature"] for row in evaluation["temperature"]] == [0.5, 0.7, 0.85, 1, 1.15]
    assert set(evaluation["cost"]["microseconds"]) == {"samples", "int8", "baseline"}
    assert "binarisation" in evaluation["settings"]


def test_evaluate_prints_a_table_and_writes_a_picture(folder: Path) -> None:
    shown = (folder / "shown").read_text()
    for title in (
        "label agreement",
        "Frechet distance",
        "recall",
        "another seed",
        "baseline",
        "real",
    ):
        assert title in shown
    with Image.open(folder / "out" / "report.png") as picture:
        assert picture.width == 2 * 10 * read_checkpoint(PRETRAINED).config.image_width


def test_evaluate_update_changes_metrics_and_card_of_the_checkpoint(
    folder: Path, evaluation: dict[str, Any]
) -> None:
    checkpoint = read_checkpoint(folder / "checkpoint")
    assert checkpoint.metrics["evaluation"] == evaluation
    assert checkpoint.model_hash == read_checkpoint(PRETRAINED).model_hash
    card = (folder / "checkpoint" / "README.md").read_text()
    assert "By temperature" in card
    assert '"another seed" is this model, trained again with seed 0.' in card


@pytest.fixture
def shapes(tmp_path: Path) -> Path:
    """Pictures of bars and squares; of the bars there are more for testing than for training."""
    rng = np.random.default_rng(0)
    bars, squares = np.zeros((2, 60, 12, 12), np.uint8)
    for place, bar, square in zip(rng.integers(2, 6, (60, 2)), bars, squares, strict=True):
        bar[2:10, place[0] : place[0] + 2] = 255
        square[place[0] : place[0] + 5, place[1] : place[1] + 5] = rng.integers(150, 256)
    np.savez(
        tmp_path / "shapes.npz",
        x_train=np.concatenate([bars[:20], squares[:40]]),
        y_train=np.repeat([0, 1], [20, 40]),
        x_test=np.concatenate([bars[20:], squares[40:]]),
        y_test=np.repeat([0, 1], [40, 20]),
        label_names=np.array(["bar", "square"]),
    )
    return tmp_path / "shapes.npz"


def test_evaluate_measures_other_pictures_with_their_names(
    tmp_path: Path, shapes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ["--images", str(shapes), "--size", "12"]
    run = ["--run-dir", str(tmp_path / "run"), "--epochs", "2", "--hidden", "8", "--latent", "2"]
    assert exit_code(train, [*data, *run, "--no-evaluate"]) == 0
    sizes = ["--samples", "40", "--classifier-samples", "40", "--importance-samples", "1"]
    checkpoint = tmp_path / "run" / "checkpoint"
    folders = ["--out-dir", str(tmp_path / "out"), "--cache-dir", str(tmp_path / "judges")]
    short = ["--seeds", "1", "--judge-epochs", "1"]
    assert main([str(checkpoint), *data, *folders, *sizes, *short, "--update"]) == 0
    card = (checkpoint / "README.md").read_text()
    assert "\n| bar | " in card
    assert "\n| square | " in card
    assert "MNIST" not in card
    said = " ".join(capsys.readouterr().err.split())
    assert "of the real test pictures as their label" in said


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        ([], 1, "none does not exist"),
        (["--samples", "0"], 2, "--samples cannot be '0'"),
        (["--out-dir", "/dev/null/out"], 1, "Not a directory: '/dev/null/out'"),
    ],
)
def test_evaluate_unusable_checkpoint_or_option_ends_with_one_sentence(
    tmp_path: Path,
    options: list[str],
    code: int,
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = [str(tmp_path / "none"), "--out-dir", str(tmp_path / "out"), *options]
    assert exit_code(main, arguments) == code
    assert sentence in capsys.readouterr().err.replace("\n", "")
