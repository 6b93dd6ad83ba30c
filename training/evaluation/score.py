"""The classification accuracy score (CAS), with several seeds and paired with real pictures.

One classifier is trained on samples, another with the same seed on real training images; both read
the same test digits. The difference of their accuracies has a smaller error than either accuracy:
digits that both misread, or that no classifier reads, cancel out.

Source: Ravuri & Vinyals, "Classification Accuracy Score for Conditional Generative Models",
arXiv:1905.10887.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from training.data import LabelledImages
from training.evaluation.judge import JudgeRecipe, cached_judge, judge_images


class ClassifierScore:
    """Trains classifiers, one for each recipe, and compares them with those of real pictures."""

    def __init__(
        self,
        train: LabelledImages,
        test: LabelledImages,
        recipes: Sequence[JudgeRecipe],
        cache: Path,
        device: torch.device,
    ) -> None:
        self._test = test
        self._recipes = recipes
        self._cache = cache
        self._device = device
        self._real = self.right(train)

    def right(self, samples: LabelledImages) -> Tensor:
        """Which test digits each classifier reads right after training on samples: (S, N) bool."""
        return torch.stack([self._right(samples, recipe) for recipe in self._recipes])

    def measure_real_digits(self) -> dict[str, Any]:
        """The score of real training images, the most that samples can reach."""
        return _record(self._real)

    def measure(self, right: Tensor) -> dict[str, Any]:
        """The score, and how far it is below that of real pictures.

        Args:
            right: (S, N) bool, see `right`.
        """
        below = (self._real.float() - right.float()).mean(dim=0)  # (N,)
        error = below.std() / len(below) ** 0.5
        return {
            **_record(right),
            "cas_gap": below.mean().item(),
            "cas_gap_standard_error": error.item(),
        }

    def by_label(self, right: Tensor, classes: int) -> list[float]:
        """The score on the test digits of each label."""
        return [
            right[:, self._test.labels == label].float().mean().item() for label in range(classes)
        ]

    def _right(self, samples: LabelledImages, recipe: JudgeRecipe) -> Tensor:
        classifier = cached_judge(self._cache, samples, recipe, self._device)
        found = judge_images(classifier, self._test.images, self._device)
        return found.labels == self._test.labels


def _record(right: Tensor) -> dict[str, Any]:
    return {
        "cas": right.float().mean().item(),
        "cas_by_seed": right.float().mean(dim=1).tolist(),
    }
