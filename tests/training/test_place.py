"""Where runs are put: numbered, never over another one, and found again."""

import json
import os
from pathlib import Path

import pytest

from training.config import TrainingConfig, read_options
from training.place import OPTIONS, NothingToResumeError, place


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(*arguments: str) -> TrainingConfig:
    return read_options(TrainingConfig, "train", "Train.", arguments)


def save(folder: Path, when: int) -> None:
    snapshot = TrainingConfig(run_dir=folder).snapshot
    snapshot.write_bytes(b"")
    os.utime(snapshot, (when, when))


def test_runs_are_numbered_and_named_by_preset_and_data() -> None:
    assert [place(read()).run_dir for _ in range(3)] == [
        Path("runs", name) for name in ("article", "article-2", "article-3")
    ]
    assert place(read("--dataset", "kmnist")).run_dir == Path("runs/article-kmnist")
    assert place(read("--preset", "sharp", "--images", "my/letters")).run_dir == Path(
        "runs/sharp-letters"
    )


def test_a_folder_that_was_named_is_taken() -> None:
    for _ in range(2):
        assert place(read("--run-dir", "a")).run_dir == Path("a")


def test_resume_takes_the_last_run_with_its_options() -> None:
    for when, arguments in enumerate((["--epochs", "3"], ["--epochs", "4", "--latent", "2"])):
        save(place(read(*arguments)).run_dir, when=1000 + when)
    place(read())  # has saved nothing
    resumed = place(read("--resume", "--seed", "5"))
    assert resumed.run_dir == Path("runs/article-2")
    assert (resumed.epochs, resumed.latent, resumed.seed, resumed.resume) == (4, 2, 5, True)
    save(Path("runs/article"), when=2000)
    assert place(read("--resume")).epochs == 3
    assert place(read(), restarted=True).run_dir == Path("runs/article")


def test_resume_of_a_preset_takes_its_last_run() -> None:
    save(place(read("--epochs", "3")).run_dir, when=1000)
    with pytest.raises(NothingToResumeError):
        place(read("--resume", "--preset", "sharp"))


def test_resume_without_a_run_says_what_to_do() -> None:
    with pytest.raises(NothingToResumeError, match=r"no folder in runs/ holds a run that saved"):
        place(read("--resume"))
    assert place(read(), restarted=True).run_dir == Path("runs/article")


def test_damaged_options_are_as_if_there_were_none() -> None:
    folder = place(read("--epochs", "3")).run_dir
    assert json.loads((folder / OPTIONS).read_text()) == {"epochs": 3}
    (folder / OPTIONS).write_text("[")
    save(folder, when=1000)
    assert place(read("--resume")).epochs is None
