"""The command `python -m training.evaluate` on the slice."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from model.checkpoint import PRETRAINED, read_checkpoint
from tests.conftest import ROOT

SMALL = ("--samples", "300", "--classifier-samples", "200", "--judge-epochs", "1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, mnist_slice: Path) -> Path:
    """A folder with a measured copy of the bundled checkpoint and all that was written."""
    folder = tmp_path_factory.mktemp("evaluate")
    shutil.copytree(PRETRAINED, folder / "checkpoint")
    command = [
        *(sys.executable, "-m", "training.evaluate", str(folder / "checkpoint"), "--update"),
        *("--baseline", str(PRETRAINED), "--data-dir", str(mnist_slice)),
        *("--out-dir", str(folder / "out"), "--cache-dir", str(folder / "judges")),
        *("--importance-samples", "1", *SMALL),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (folder / "shown").write_text(done.stdout)
    return folder


@pytest.fixture(scope="module")
def evaluation(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "out" / "metrics.json").read_text())["evaluation"]
    return found


def test_evaluate_writes_all_metrics(evaluation: dict[str, Any]) -> None:
    assert set(evaluation["samples"]) >= {
        *("cas", "label_agreement", "frechet_distance", "precision", "recall", "per_label"),
        *("slant_correlation_same_noise", "ink_correlation_same_noise", "test"),
        *("nearest_training_distance", "log_likelihood_nats"),
    }
    assert set(evaluation["int8"]) == {
        name for name in evaluation["samples"] if name not in ("model", "test")
    } - {"log_likelihood_nats"}
    assert set(evaluation["real"]) >= {"cas", "frechet_distance", "precision", "recall"}
    assert [row["temperature"] for row in evaluation["temperature"]] == [0.5, 0.7, 0.85, 1, 1.15]
    assert set(evaluation["cost"]["microseconds"]) >= {"samples", "baseline"}
    assert "binarisation" in evaluation["settings"]


def test_evaluate_same_model_as_baseline_has_equal_metrics(evaluation: dict[str, Any]) -> None:
    assert evaluation["samples"] == evaluation["baseline"]


def test_evaluate_prints_a_table_and_writes_a_picture(folder: Path) -> None:
    shown = (folder / "shown").read_text()
    for title in ("label agreement", "Frechet distance", "recall", "baseline", "real"):
        assert title in shown
    with Image.open(folder / "out" / "report.png") as picture:
        assert picture.width == 560


def test_evaluate_update_changes_metrics_and_card_of_the_checkpoint(
    folder: Path, evaluation: dict[str, Any]
) -> None:
    checkpoint = read_checkpoint(folder / "checkpoint")
    assert checkpoint.metrics["evaluation"] == evaluation
    assert checkpoint.model_hash == read_checkpoint(PRETRAINED).model_hash
    assert "By temperature" in (folder / "checkpoint" / "README.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["none"], 1, "none does not exist"),
        (["none", "--samples", "0"], 2, "The option --samples cannot be '0'"),
    ],
)
def test_evaluate_unusable_checkpoint_or_option_ends_with_one_sentence(
    tmp_path: Path, arguments: list[str], code: int, sentence: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "training.evaluate", *arguments],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
