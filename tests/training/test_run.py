import os
import sys
from pathlib import Path

import pytest

from model.checkpoint import read_checkpoint
from model.generator import open_generator
from training.__main__ import main

OPTIONS = ["--hidden", "8", "--latent", "3", "--epochs", "1", "--accelerator", "cpu"]


def train(mnist_slice: Path, run_dir: Path, *options: str) -> str:
    """Run the command; the last line of its log."""
    folders = ["--data-dir", str(mnist_slice), "--run-dir", str(run_dir)]
    assert main([*folders, *OPTIONS, "--no-evaluate", *options]) == 0
    return (run_dir / "train.log").read_text().splitlines()[-1]


@pytest.mark.parametrize(
    ("program", "serve"),
    [
        ("/usr/bin/cvae-digits", "cvae-digits serve"),
        ("training/__main__.py", f"{os.path.relpath(sys.executable)} -m app"),
    ],
)
def test_conditional_run_ends_with_how_to_serve(
    program: str, serve: str, mnist_slice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [program])
    run_dir = tmp_path / "my run"
    last = train(mnist_slice, run_dir)
    folder = run_dir / "checkpoint"
    assert last.endswith(
        f"wrote the checkpoint {folder}; serve it with `{serve} --checkpoint '{folder}'`"
    )
    assert open_generator(read_checkpoint(folder)).config.latent == 3


def test_unconditional_run_ends_with_how_to_serve_without_labels(
    mnist_slice: Path, tmp_path: Path
) -> None:
    last = train(mnist_slice, tmp_path, "--no-conditional")
    assert f" --checkpoint {tmp_path / 'checkpoint'}`" in last
    assert last.endswith("without labels it draws any of them: `GET /generate?count=12`")
    checkpoint = read_checkpoint(tmp_path / "checkpoint")
    assert "one_hot" not in (checkpoint.folder / "README.md").read_text()
    assert not checkpoint.config.conditional


def test_refused_run_leaves_the_pictures_of_the_other(mnist_slice: Path, tmp_path: Path) -> None:
    train(mnist_slice, tmp_path)
    before = (tmp_path / "data.png").read_bytes()
    folders = ["--data-dir", str(mnist_slice), "--run-dir", str(tmp_path), "--size", "20"]
    assert main([*folders, "--images", str(mnist_slice), *OPTIONS]) == 1
    assert "already holds a run" in (tmp_path / "train.log").read_text()
    assert (tmp_path / "data.png").read_bytes() == before


def test_folder_that_no_checkpoint_may_replace_is_refused_before_the_training(
    mnist_slice: Path, tmp_path: Path
) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.txt").write_text("precious")
    folders = ["--data-dir", str(mnist_slice), "--run-dir", str(tmp_path / "run")]
    assert main([*folders, *OPTIONS, "--checkpoint", str(tmp_path / "thesis")]) == 1
    log = (tmp_path / "run" / "train.log").read_text()
    assert "thesis is neither an empty folder nor a checkpoint" in log
    assert "epoch" not in log
