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
    for label in ("cat", "dog"):
        (tmp_path / "pets" / label).mkdir(parents=True)
        for index in range(12):
            levels = np.full((30, 20), 255, np.uint8)
            levels[10:20, 5 : 6 + index] = index + (label == "dog") * 20
            Image.fromarray(levels).save(tmp_path / "pets" / label / f"{index}.png")
    sheet = tmp_path / "sheet.png"
    assert main([str(tmp_path / "pets"), "--sheet", str(sheet)]) == 0
    shown = capsys.readouterr().out
    for part in ("cat", "dog", "2 labels", "20 x 30 pixels, dark ink", "a folder per label"):
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
