import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from model.config import ARTICLE
from training import __main__ as train
from training import evaluate
from training.config import TrainingConfig, option, read_options
from training.evaluate import EvaluationConfig


def read(*arguments: str) -> TrainingConfig:
    return read_options(TrainingConfig, "train", "Train.", arguments)


def test_defaults_are_those_of_the_article() -> None:
    config = read()
    assert config == TrainingConfig()
    assert config.architecture(10) == ARTICLE
    assert (config.epochs_on(60_000), config.batch_size, config.learning_rate) == (10, 128, 1e-3)


@pytest.mark.parametrize(("images", "epochs"), [(60_000, 10), (9_360, 41), (1_600, 231), (5, 300)])
def test_few_pictures_are_passed_over_more_often(images: int, epochs: int) -> None:
    assert read().epochs_on(images) == epochs
    assert read("--epochs", "3").epochs_on(images) == 3


def test_each_preset_has_its_own_folder() -> None:
    assert read().run_dir == Path("runs/article")
    assert read("--preset", "sharp").run_dir == Path("runs/sharp")
    assert read("--run-dir", "a").checkpoint_folder == Path("a/checkpoint")
    assert read("--checkpoint", "b").checkpoint_folder == Path("b")


def test_environment_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EPOCHS", "3")
    assert read() == TrainingConfig()


@pytest.mark.parametrize("text", ["8,4", "[8,4]"])
def test_architecture_follows_the_options(text: str) -> None:
    config = read("--hidden", text, "--latent", "2", "--no-conditional")
    assert config.architecture(10).encoder_sizes == (784, 8, 4)
    assert config.architecture(10).decoder_sizes == (2, 4, 8, 784)


@pytest.mark.parametrize(
    ("main", "model", "required"),
    [(train.main, TrainingConfig, []), (evaluate.main, EvaluationConfig, ["folder"])],
)
def test_help_shows_every_option_with_a_default_that_is_accepted(
    main: object, model: type[BaseModel], required: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert callable(main)
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for internal in ("lambda", "Path", "None", "tuple", "Undefined", "<", "True", "False", ".py"):
        assert internal not in text, internal
    shown = [name for name in model.model_fields if option(name) in text]
    assert len(shown) == len(model.model_fields) - len(required)
    untouched = read_options(model, "", "", required)
    for name, default in re.findall(r"(--[a-z-]+) (?:(?!--)[^(])*\(default: ([^ )]+)\)", text):
        arguments = [default] if default.startswith("--") else [name, default]
        assert read_options(model, "", "", [*required, *arguments]) == untouched, name


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("--epochs 0", "The option --epochs cannot be '0': Input should be greater than 0; see"),
        ("--hidden 8,x", "The option --hidden cannot be 'x': Input should be a valid integer"),
        ("--hidden ,", "The option --hidden cannot be '': Input should be a valid integer"),
        ("--seed 4294967296", "The option --seed cannot be '4294967296': Input should be less"),
        ("--preset blurred", "The option --preset cannot be 'blurred': Input should be 'article'"),
        ("--preset sharp --epochs 3", "The preset sharp has its own settings and does not take --"),
        ("--length 0.5", "The preset article has its own settings and does not take --length"),
        ("--preset sharp --length 0", "The option --length cannot be '0': Input should be greater"),
    ],
)
def test_invalid_option_exits_with_one_sentence(
    options: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        read(*options.split())
    said = capsys.readouterr().err
    assert said.startswith(sentence)
    assert said.endswith("; see --help.\n")


@pytest.mark.parametrize("options", [["--epochs", "0"], ["--epoch", "3"]])
def test_invalid_or_unknown_option_exits_with_2(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        train.main(options)
    assert options[0] in capsys.readouterr().err


def test_recipe_contains_what_determines_the_result() -> None:
    assert set(TrainingConfig().recipe()) | {
        *("data_dir", "run_dir", "epochs", "resume", "snapshot_every_s"),
        *("accelerator", "devices", "precision", "preset", "evaluate"),
        *("checkpoint", "compile", "length"),
    } == set(TrainingConfig.model_fields)
    assert TrainingConfig(run_dir=Path("elsewhere")).recipe() == TrainingConfig().recipe()
