"""Measures what a generator draws: does it look real, is it right, is it varied, is it a hand?

Everything is measured on grey levels as the service sends them. The judge that scores has
learned the real training images and has no part in training any generator.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from model.generator import Generator
from training.data import LabelledImages
from training.evaluation.frechet import frechet_distance
from training.evaluation.judge import JudgeRecipe, Verdict, cached_judge, judge_images
from training.evaluation.neighbour import nearest, precision_and_recall
from training.evaluation.style import correlation_between_labels, ink, slant
from training.randomness import Purpose, keyed_generator

NEIGHBOURS = 3  # k of precision and recall
CHUNK = 1000  # digits drawn at once


@dataclass(frozen=True)
class ExamSize:
    """How many samples each measurement takes."""

    samples: int = 10_000  # agreement, Frechet distance, precision, recall
    classifier_samples: int = 60_000  # that the classifier of the CAS learns
    styles: int = 1_000  # noises, each drawn as every label
    copies: int = 1_000  # samples whose nearest training image is looked for


class Examiner:
    """Holds the real digits and the judge, and examines one generator after another."""

    def __init__(
        self,
        train: LabelledImages,
        test: LabelledImages,
        recipe: JudgeRecipe,
        size: ExamSize,
        cache: Path,
        device: torch.device,
    ) -> None:
        self.train = train
        self.test = test
        self.recipe = recipe
        self.size = size
        self._cache = cache
        self._device = device
        self._judge = cached_judge(cache, train, recipe, device)
        self._real = judge_images(self._judge, test.images, device)

    def ceiling(self) -> dict[str, float]:
        """What real digits score: training images in the place of samples."""
        chosen = keyed_generator(self.recipe.seed, Purpose.METRIC)
        indices = torch.randperm(len(self.train), generator=chosen)[: self.size.samples]
        labels = self.train.labels[indices]
        verdict = judge_images(self._judge, self.train.images[indices], self._device)
        return {
            "cas": self._real.agreement(self.test.labels),
            "label_agreement": self._real.agreement(self.test.labels),
            **self._likeness(verdict),
            **self._copying(self.test.images[: self.size.copies]),
            "training_label_agreement": verdict.agreement(labels),
        }

    def examine(self, generator: Generator, temperature: float = 1.0) -> dict[str, object]:
        """All measurements of a generator; shares in [0, 1], distances in units of the features."""
        samples = self.draw(generator, self.size.samples, temperature)
        verdict = judge_images(self._judge, samples.images, self._device)
        score, by_label = self._classifier_accuracy(generator, temperature)
        return {
            "cas": score,
            "label_agreement": verdict.agreement(samples.labels),
            **self._likeness(verdict),
            **self.style(generator, temperature),
            **self._copying(samples.images[: self.size.copies]),
            "per_label": self._per_label(samples, verdict, by_label),
        }

    def glance(self, generator: Generator, temperature: float = 1.0) -> dict[str, float]:
        """The measurements that train nothing."""
        samples = self.draw(generator, self.size.samples, temperature)
        verdict = judge_images(self._judge, samples.images, self._device)
        return {
            "label_agreement": verdict.agreement(samples.labels),
            **self._likeness(verdict),
        }

    def draw(self, generator: Generator, count: int, temperature: float = 1.0) -> LabelledImages:
        """`count` samples, the labels in turn, each with a noise of its own."""
        labels = torch.arange(count) % generator.config.classes
        noise = self._noise(generator, count, temperature)
        return LabelledImages(_drawn(generator, labels, noise), labels)

    def style(self, generator: Generator, temperature: float = 1.0) -> dict[str, float]:
        """How slant and ink of two labels correlate: drawn from one noise, and from two."""
        count, classes = self.size.styles, generator.config.classes
        labels = torch.arange(classes).repeat(count)
        shared = self._noise(generator, count, temperature).repeat_interleave(classes, dim=0)
        own = self._noise(generator, count * classes, temperature)
        found: dict[str, float] = {}
        for kind, noise in (("same", shared), ("other", own)):
            images = _drawn(generator, labels, noise).float() / 255
            for name, measure in (("slant", slant), ("ink", ink)):
                style = measure(images).reshape(count, classes)
                found[f"{name}_correlation_{kind}_noise"] = correlation_between_labels(style)
        return found

    def _noise(self, generator: Generator, count: int, temperature: float) -> Tensor:
        source = keyed_generator(self.recipe.seed, Purpose.METRIC, count)
        return temperature * torch.randn(count, generator.config.latent, generator=source)

    def _likeness(self, verdict: Verdict) -> dict[str, float]:
        precision, recall = precision_and_recall(self._real.features, verdict.features, NEIGHBOURS)
        return {
            "frechet_distance": frechet_distance(verdict.features, self._real.features),
            "precision": precision,
            "recall": recall,
        }

    def _classifier_accuracy(
        self, generator: Generator, temperature: float
    ) -> tuple[float, list[float]]:
        """CAS, whole and by label: the accuracy on real digits of a judge that learned samples.

        Source: Ravuri & Vinyals, "Classification Accuracy Score for Conditional Generative
        Models", arXiv:1905.10887.
        """
        samples = self.draw(generator, self.size.classifier_samples, temperature)
        pupil = cached_judge(self._cache, samples, self.recipe, self._device)
        right = judge_images(pupil, self.test.images, self._device).labels == self.test.labels
        by_label = [
            right[self.test.labels == label].float().mean().item()
            for label in range(generator.config.classes)
        ]
        return right.float().mean().item(), by_label

    def _copying(self, images: Tensor) -> dict[str, float]:
        """The median distance of images to their nearest training images, in pixels' units."""
        distance, _ = nearest(_flat(images), _flat(self.train.images))
        return {"nearest_training_distance": distance.median().item()}

    def _per_label(
        self, samples: LabelledImages, verdict: Verdict, accuracy: list[float]
    ) -> list[dict[str, float]]:
        table = []
        for label, cas in enumerate(accuracy):
            asked = samples.labels == label
            table.append(
                {
                    "label": label,
                    "cas": cas,
                    "label_agreement": (verdict.labels[asked] == label).float().mean().item(),
                    "frechet_distance": frechet_distance(
                        verdict.features[asked], self._real.features[self.test.labels == label]
                    ),
                }
            )
        return table


def _drawn(generator: Generator, labels: Tensor, noise: Tensor) -> Tensor:
    """Grey levels (N, H, W) uint8 for labels (N,) and noise (N, Z)."""
    parts = [
        generator.draw(generator.one_hot(some_labels.numpy()), some_noise.numpy())
        for some_labels, some_noise in zip(
            torch.split(labels, CHUNK), torch.split(noise, CHUNK), strict=True
        )
    ]
    return torch.from_numpy(np.concatenate(parts))


def _flat(images: Tensor) -> Tensor:
    """Grey levels (N, H, W) as (N, H * W) float32 in [0, 1]."""
    return images.flatten(1).float() / 255
