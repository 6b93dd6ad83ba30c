from collections import Counter

import numpy as np
import pytest

from app.drawing.renderer import Renderer, open_renderer
from benchmarks import photos
from benchmarks.photos import Outcome
from model.checkpoint import PRETRAINED
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


def test_measure_tells_right_wrong_and_refused_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {b"seven": (7, 0.9), b"blank": None}
    monkeypatch.setattr(photos, "read", lambda _, content: answers[content])
    made = [("kind", 7, b"seven"), ("kind", 1, b"seven"), ("kind", 1, b"blank")]
    renderer = object.__new__(Renderer)
    found = photos.measure(renderer, iter(made))
    assert found == {
        "kind": [Outcome("right", 0.9), Outcome("wrong", 0.9), Outcome("refused", None)]
    }
    third = pytest.approx(1 / 3, abs=1e-3)
    assert photos.report(found)["kinds"] == {
        "kind": {"right": third, "wrong": third, "refused": third}
    }


@pytest.mark.parametrize(("right", "error"), [(8, 0.0), (10, 0.2), (0, 0.8)])
def test_calibration_error_is_how_far_confidence_is_from_the_share_right(
    right: int, error: float
) -> None:
    outcomes = [Outcome("right" if index < right else "wrong", 0.8) for index in range(10)]
    assert photos.calibration_error(outcomes) == pytest.approx(error)


def test_noise_is_repeated_for_a_seed() -> None:
    first, second = (noise(np.random.default_rng(4)) for _ in range(2))
    assert first == second


def test_kept_hand_follows_the_slant_of_the_pen() -> None:
    renderer = open_renderer(PRETRAINED, "onnx", "int8")
    kept = photos.kept_hand(renderer, DIGITS, LABELS, 40, 1)
    assert kept["pictures"] > 20
    assert kept["slant"] > 0.5


def test_digits_of_scikit_learn_are_enlarged_without_a_margin() -> None:
    pytest.importorskip("sklearn")
    made = list(photos.other_hands(5))
    assert [label for _, label, _ in made] == [0, 1, 2, 3, 4]
