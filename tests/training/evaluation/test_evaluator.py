from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from model.config import CVAEConfig
from model.engine import pictures_of
from model.generator import Generator
from tests.training.conftest import CPU, Mnist
from training.data import LabelledImages
from training.evaluation.evaluator import Evaluator, SampleSizes
from training.evaluation.judge import JudgeRecipe

Array = NDArray[np.float32]


class CopyingEngine:
    """An engine that returns training images; the noise only selects them."""

    def __init__(self, data: LabelledImages) -> None:
        self._by_label = [data.images[data.labels == label].numpy() / 255 for label in range(10)]

    def draw(self, noise: Array, one_hot: Array) -> NDArray[np.uint8]:
        return pictures_of(self.decode(noise, one_hot), None)

    def decode(self, noise: Array, one_hot: Array) -> Array:
        choice = (np.abs(noise[:, 0]) * 1e4).astype(int)
        images = [self._by_label[label] for label in one_hot.argmax(axis=1)]
        chosen = [each[index % len(each)] for each, index in zip(images, choice, strict=True)]
        return np.stack(chosen).astype(np.float32)

    def encode(self, pixels: Array, one_hot: Array) -> Array:
        raise NotImplementedError


@pytest.fixture(scope="module")
def found(
    mnist: Mnist, tiny_config: CVAEConfig, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, object]:
    """The measurements of a generator that copies training images."""
    evaluator = Evaluator(
        *mnist,
        JudgeRecipe(epochs=2, batch_size=50),
        SampleSizes(samples=300, classifier_samples=600, styles=50, copies=20),
        tmp_path_factory.mktemp("judges"),
        CPU,
    )
    generator = Generator(tiny_config, CopyingEngine(mnist[0]))
    return {**evaluator.measure(generator), "real": evaluator.measure_real_digits()}


def test_copies_are_right_precise_near_and_train_a_classifier(found: Mapping[str, float]) -> None:
    assert found["label_agreement"] > 0.8
    assert found["cas"] > 0.5
    assert found["precision"] > 0.6
    assert found["nearest_training_distance"] == pytest.approx(0, abs=1e-6)
    for name in ("slant", "ink"):
        assert abs(found[f"{name}_correlation_other_noise"]) < 0.2


def test_each_label_has_a_row(found: Mapping[str, list[Mapping[str, float]]]) -> None:
    assert [row["label"] for row in found["per_label"]] == list(range(10))
    assert set(found["per_label"][0]) == {"label", "cas", "label_agreement", "frechet_distance"}


def test_real_digits_are_not_copies(found: Mapping[str, Mapping[str, float]]) -> None:
    assert found["real"]["cas"] > 0.5
    assert found["real"]["nearest_training_distance"] > 1
