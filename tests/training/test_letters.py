"""docs/letters.py: a folder of letters from fonts, which `--images` takes."""

import random
import string
from pathlib import Path

import matplotlib
import numpy as np
import pytest

import docs.letters
from docs.letters import draw, main, small_letters
from training.data.own import load_images
from training.data.picture import Rules

FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"


def test_letters_of_a_font_are_a_data_set_with_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docs.letters, "PICTURES", 4)
    main(tmp_path, [str(FONTS / "DejaVuSans.ttf")])
    data = load_images(tmp_path, Rules())
    assert data.label_names == tuple(string.ascii_lowercase)
    assert len(data.train) + len(data.test) == 4 * 26


def test_letters_lie_inside_their_picture_and_differ() -> None:
    font = small_letters(str(FONTS / "DejaVuSerif.ttf"))
    assert font is not None
    rng = random.Random(0)
    first, second = (255 - np.asarray(draw(font, "g", rng)) for _ in range(2))
    assert not np.array_equal(first, second)
    assert first.max() > 200
    assert first[0].max() == first[-1].max() == first[:, 0].max() == first[:, -1].max() == 0


def test_font_with_capitals_in_place_of_small_letters_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ink = docs.letters._ink
    monkeypatch.setattr(docs.letters, "_ink", lambda font, letter: ink(font, letter.upper()))
    assert small_letters(str(FONTS / "DejaVuSans.ttf")) is None


def test_font_of_symbols_is_left_out() -> None:
    assert small_letters(str(FONTS / "STIXSizOneSymReg.ttf")) is None
