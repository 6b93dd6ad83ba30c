import subprocess
import sys
from pathlib import Path

import pytest

from model.config import ARTICLE
from tests.conftest import ROOT
from training.config import TrainingConfig


def command(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "training", *options], cwd=ROOT, capture_output=True, text=True
    )


def test_defaults_are_the_articles() -> None:
    config = TrainingConfig()
    assert config.architecture == ARTICLE
    assert (config.epochs, config.batch_size, config.learning_rate) == (10, 128, 1e-3)


def test_each_preset_has_a_folder_of_its_own() -> None:
    assert TrainingConfig().run_dir == Path("runs/article")
    assert TrainingConfig(preset="sharp").run_dir == Path("runs/sharp")


def test_environment_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EPOCHS", "3")
    monkeypatch.setenv("SEED", "3")
    assert TrainingConfig().epochs == 10
    assert TrainingConfig().seed == 0


def test_architecture_follows_the_options() -> None:
    config = TrainingConfig(hidden=(8, 4), latent=2, conditional=False)
    assert config.architecture.encoder_sizes == (784, 8, 4)
    assert config.architecture.decoder_sizes == (2, 4, 8, 784)


def test_help_names_every_option() -> None:
    shown = command("--help")
    assert shown.returncode == 0
    for name in TrainingConfig.model_fields:
        assert "--" + name.replace("_", "-") in shown.stdout
    assert "--no-conditional" in shown.stdout


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--epochs", "0"), "The option --epochs cannot be used: Input should be greater than 0"),
        (("--batch-size", "x"), "The option --batch-size cannot be used: Input should be a valid"),
        (("--seed", "4294967296"), "The option --seed cannot be used: Input should be less than"),
        (("--preset", "blurred"), "The option --preset cannot be used: Input should be 'article'"),
        (
            ("--preset", "sharp", "--epochs", "3"),
            "The preset sharp takes no --epochs: these belong",
        ),
        (("--epoch", "3"), "unrecognized arguments: --epoch 3"),
    ],
)
def test_bad_option_is_one_sentence(options: tuple[str, str], sentence: str) -> None:
    done = command(*options)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_recipe_holds_what_decides_the_result() -> None:
    assert set(TrainingConfig().recipe()) | {
        *("data_dir", "run_dir", "epochs", "resume", "snapshot_every_s"),
        *("accelerator", "devices", "precision", "preset", "evaluate"),
        *("checkpoint", "compile"),
    } == set(TrainingConfig.model_fields)
    assert TrainingConfig(run_dir=Path("elsewhere")).recipe() == TrainingConfig().recipe()
