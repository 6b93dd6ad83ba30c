import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from tests.mnist import read_mnist
from training.photos import kinds
from training.photos.kinds import KINDS, PORTRAIT, REFUSED, photo
from training.photos.mixture import MARKS, mixed
from training.photos.pen import Cover, Levels, cropped, varied, written
from training.photos.scene import TOUCH

Mark = Callable[[int, np.random.Generator], Cover]
DIGITS = list(read_mnist(train=True)[0])


def shot(name: str, seed: int) -> Levels:
    content = photo({**KINDS, **REFUSED}[name], DIGITS[seed:], np.random.default_rng(seed))
    return np.asarray(Image.open(io.BytesIO(content)))


@pytest.mark.parametrize("name", [*KINDS, *REFUSED])
def test_photo_of_each_kind_is_the_same_for_a_seed_and_differs_between_seeds(name: str) -> None:
    first = shot(name, 1)
    assert first.shape == (*PORTRAIT, 3)
    assert (first == shot(name, 1)).all()
    assert (first != shot(name, 2)).any()


@pytest.mark.parametrize("name", sorted(set(KINDS) - {"plain"}))
def test_each_kind_differs_from_a_plain_photo(name: str) -> None:
    assert abs(shot(name, 3).astype(int) - shot("plain", 3)).mean() > 0.5


def test_written_digit_has_the_size_and_the_form_of_the_original() -> None:
    for digit in DIGITS[:20]:
        ink = written(digit, 80, 0, np.random.default_rng(0))
        assert 70 <= max(np.ptp(np.flatnonzero((ink > 0.5).any(axis))) for axis in (0, 1)) <= 90
        large = Image.fromarray(cropped((ink * 255).astype(np.uint8)))
        small = np.asarray(large.resize(cropped(digit).shape[::-1], Image.Resampling.BOX))
        assert np.corrcoef(small.ravel(), cropped(digit).ravel())[0, 1] > 0.6


def test_varied_digit_has_a_finer_or_a_broader_pen_and_another_width() -> None:
    strokes, forms = [], []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        plain, other = DIGITS[seed], cropped(varied(DIGITS[seed], rng))
        ink, before = (written(digit, 60, 0, rng, soft=True) for digit in (other, plain))
        strokes.append((ink > 0.5).mean() / (before > 0.5).mean())
        forms.append(np.divide(*other.shape) / np.divide(*cropped(plain).shape))
    assert np.quantile(strokes, 0.05) < 0.7
    assert np.quantile(strokes, 0.95) > 1.4
    assert min(forms) < 0.85
    assert max(forms) > 1.15


def test_tight_picture_touches_ink_at_each_border() -> None:
    content = kinds.tight(DIGITS[0], True, np.random.default_rng(0))
    ink = np.asarray(Image.open(io.BytesIO(content)).convert("L")) > 64
    assert all(border.any() for border in (ink[0], ink[-1], ink[:, 0], ink[:, -1]))


def test_eight_pixels_keep_the_form_of_a_digit() -> None:
    for digit in DIGITS[:50]:
        small, ink = kinds.eight(digit), cropped(digit)
        assert small.shape == (8, 8)
        filled = [np.ptp(np.flatnonzero((small > 8).any(axis))) + 1 for axis in (1, 0)]
        assert filled == pytest.approx([8 * side / max(ink.shape) for side in ink.shape], abs=2)


def test_mixture_has_one_digit_in_seven_pictures_of_ten_rows_and_marks() -> None:
    rng = np.random.default_rng(0)
    made = [mixed(DIGITS[start : start + 5], 128, rng) for start in range(300)]
    counts = [len(example.digits) for example in made]
    assert 0.6 < np.mean(np.equal(counts, 1)) < 0.8
    assert {0, 1, 2, 3, 4, 5} == set(counts)
    for example in made:
        assert example.shot.shape == (*example.mark.shape, 3)
        assert example.shot.min() >= 0
        assert example.shot.max() <= 1
        for digit in example.digits:
            assert digit.max() > 0.2
            assert (digit * np.maximum(example.mark, example.cut)).max() <= TOUCH


def test_cover_is_where_the_ink_differs_from_the_paper() -> None:
    rng = np.random.default_rng(1)
    made = [mixed(DIGITS[start : start + 5], 64, rng) for start in range(100)]
    apart = []
    for example in made:
        cover = np.max(example.inks, axis=0)
        ink, paper = example.shot[cover > 0.9], example.shot[cover < 0.1]
        if len(ink) and len(paper):
            apart.append(abs(np.median(ink, 0) - np.median(paper, 0)).max())
    assert np.median(apart) > 0.2


@pytest.mark.parametrize("mark", MARKS)
def test_mark_fits_into_its_square_and_differs_between_seeds(mark: Mark) -> None:
    first, second = (mark(60, np.random.default_rng(seed)) for seed in (1, 2))
    assert first.shape == (60, 60)
    assert first.max() > 0.9
    assert 0.003 < first.mean() < 0.6
    assert (first != second).any()
