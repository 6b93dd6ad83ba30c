"""`python -m training.look`: what a user sees of a folder before training on it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.training.exits import exit_code
from training.look import main


def test_look_shows_counts_polarity_and_a_sheet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for label in ("cat", "[red]"):
        (tmp_path / "pets" / label).mkdir(parents=True)
        for index in range(12):
            levels = np.full((30, 20), 255, np.uint8)
            levels[10:20, 5 : 6 + index] = index + (label != "cat") * 20
            Image.fromarray(levels).save(tmp_path / "pets" / label / f"{index}.png")
    sheet = tmp_path / "sheet.png"
    assert main([str(tmp_path / "pets"), "--sheet", str(sheet)]) == 0
    shown = capsys.readouterr().out
    for part in ("cat", "[red]", "all 2", "20 x 30 pixels, dark ink", "a folder per label"):
        assert part in shown
    with Image.open(sheet) as image:
        assert image.width > 700
        assert image.height > 120


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["none"], 1, "The path none does not exist; give one that has a folder"),
        (["none", "--size", "9999"], 2, "The option --size cannot be '9999'"),
    ],
)
def test_look_ends_with_a_sentence(
    arguments: list[str], code: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(main, arguments) == code
    assert sentence in capsys.readouterr().err


def test_look_names_the_sheet_that_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a").mkdir()
    Image.fromarray(np.eye(9, dtype=np.uint8) * 255).save(tmp_path / "a" / "1.png")
    assert main([str(tmp_path), "--sheet", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"{tmp_path} cannot be used: Is a directory.\n"
