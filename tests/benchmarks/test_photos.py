from collections import Counter

import numpy as np
import pytest

from app.drawing.renderer import Renderer
from benchmarks import photos
from tests.mnist import read_mnist
from training.photos.kinds import KINDS, REFUSED, noise

DIGITS, LABELS = read_mnist(train=False)


def test_pictures_show_each_kind_once_per_digit_and_repeat_for_a_seed() -> None:
    made = list(photos.pictures(DIGITS, LABELS, 2, seed=1))
    kinds = Counter(name for name, _, _ in made)
    assert set(KINDS) | set(REFUSED) < kinds.keys()
    assert set(kinds.values()) == {2}
    assert {label for name, label, _ in made if name in REFUSED} == {None}
    assert made == list(photos.pictures(DIGITS, LABELS, 2, seed=1))


def test_measure_counts_right_wrong_and_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {b"seven": 7, b"blank": None}
    monkeypatch.setattr(photos, "read", lambda _, content: answers[content])
    made = [("kind", 7, b"seven"), ("kind", 1, b"seven"), ("kind", 1, b"blank")]
    renderer = object.__new__(Renderer)
    found = photos.measure(renderer, iter(made))
    assert found == {"kind": Counter(right=1, wrong=1, refused=1)}


def test_noise_is_repeated_for_a_seed() -> None:
    first, second = (noise(np.random.default_rng(4)) for _ in range(2))
    assert first == second
