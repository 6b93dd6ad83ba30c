"""Measures the samples of a generator: are they real, right, varied, and of one style per noise?

All measurements are of grey levels as the service sends them. The judge, the classifier that
scores, is trained on real images and takes no part in training any generator.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from model.generator import Generator
from training.data import LabelledImages
from training.evaluation.forms import frame_share, grey_levels, speck_share
from training.evaluation.frechet import frechet_distance
from training.evaluation.judge import Judgement, JudgeRecipe, cached_judge, judge_images
from training.evaluation.neighbour import coverage, nearest, precision_and_recall
from training.evaluation.score import ClassifierScore
from training.evaluation.style import correlation_between_labels, ink, slant
from training.evaluation.two_sample import two_sample_accuracy, two_sample_recipe
from training.randomness import Purpose, keyed_rng

NEIGHBOURS = 3  # k of precision and recall
COVERAGE_NEIGHBOURS = 5  # k of coverage
CHUNK = 1000  # digits drawn at once


@dataclass(frozen=True)
class SampleSizes:
    """The number of samples for each measurement."""

    samples: int = 10_000  # label agreement, Frechet distance, precision, recall
    classifier_samples: int = 60_000  # to train the classifier of the CAS
    styles: int = 1_000  # noises, each drawn as every label
    copies: int = 1_000  # samples whose nearest training image is searched for
    seeds: int = 3  # classifiers of the CAS and of the two-sample test


class Evaluator:
    """Measures one generator after another against the same real pictures and judge."""

    def __init__(
        self,
        train: LabelledImages,
        test: LabelledImages,
        recipe: JudgeRecipe,
        sizes: SampleSizes,
        cache: Path,
        device: torch.device,
    ) -> None:
        self.train = train
        self.test = test
        self.recipe = recipe
        self.sizes = sizes
        self._cache = cache
        self._device = device
        self._judge = cached_judge(cache, train, recipe, device)
        self._real = judge_images(self._judge, test.images, device)
        self._recipes = [
            recipe.model_copy(update={"seed": recipe.seed + more}) for more in range(sizes.seeds)
        ]
        self._score = ClassifierScore(train, test, self._recipes, cache, device)

    def measure_real_digits(self) -> dict[str, object]:
        """The measurements of real pictures: training images instead of samples."""
        rng = keyed_rng(self.recipe.seed, Purpose.METRIC)
        indices = torch.randperm(len(self.train), generator=rng)[: self.sizes.samples]
        labels = self.train.labels[indices]
        judgement = judge_images(self._judge, self.train.images[indices], self._device)
        return {
            **self._score.measure_real_digits(),
            "label_agreement": self._real.agreement(self.test.labels),
            **self._distribution(judgement),
            **_forms(self.train.images[indices]),
            **self._two_sample(_alike(self.train, self.test.labels, rng)),
            **self._nearest_distance(self.test.images[: self.sizes.copies]),
            "training_label_agreement": judgement.agreement(labels),
        }

    def measure(self, generator: Generator) -> dict[str, object]:
        """All measurements; shares in [0, 1], Frechet distances in squared units of features."""
        samples = self._draw(generator, self.sizes.samples)
        judgement = judge_images(self._judge, samples.images, self._device)
        right = self._score.right(self._draw(generator, self.sizes.classifier_samples))
        by_label = self._score.by_label(right, generator.config.classes)
        return {
            **self._score.measure(right),
            "label_agreement": judgement.agreement(samples.labels),
            **self._distribution(judgement),
            **_forms(samples.images),
            **self._two_sample(self._draw_labels(generator, self.test.labels)),
            **self._style(generator),
            **self._nearest_distance(samples.images[: self.sizes.copies]),
            "per_label": self._per_label(samples, judgement, by_label),
        }

    def measure_samples(self, generator: Generator, temperature: float) -> dict[str, float]:
        """The measurements that train no classifier, with the noise scaled by `temperature`."""
        samples = self._draw(generator, self.sizes.samples, temperature)
        judgement = judge_images(self._judge, samples.images, self._device)
        return {
            "label_agreement": judgement.agreement(samples.labels),
            **self._distribution(judgement),
        }

    def _draw(self, generator: Generator, count: int, temperature: float = 1.0) -> LabelledImages:
        """`count` samples with cycling labels, each with its own noise."""
        labels = torch.arange(count) % generator.config.classes
        return self._draw_labels(generator, labels, temperature)

    def _draw_labels(
        self, generator: Generator, labels: Tensor, temperature: float = 1.0
    ) -> LabelledImages:
        """One sample for each label (N,), each with its own noise."""
        noise = temperature * self._noise(generator, len(labels))
        return LabelledImages(_drawn(generator, labels, noise), labels)

    def _noise(self, generator: Generator, count: int) -> Tensor:
        rng = keyed_rng(self.recipe.seed, Purpose.METRIC, count)
        return torch.randn(count, generator.config.latent, generator=rng)

    def _style(self, generator: Generator) -> dict[str, float]:
        """The correlation of slant and ink between labels, with the same and with other noise."""
        count, classes = self.sizes.styles, generator.config.classes
        labels = torch.arange(classes).repeat(count)
        same = self._noise(generator, count).repeat_interleave(classes, dim=0)
        other = self._noise(generator, count * classes)
        found: dict[str, float] = {}
        for kind, noise in (("same", same), ("other", other)):
            images = _drawn(generator, labels, noise).float() / 255
            for name, measure in (("slant", slant), ("ink", ink)):
                style = measure(images).reshape(count, classes)
                found[f"{name}_correlation_{kind}_noise"] = correlation_between_labels(style)
        return found

    def _distribution(self, judgement: Judgement) -> dict[str, float]:
        """How the distribution of features differs from that of the test images."""
        real, drawn = self._real.features, judgement.features
        precision, recall = precision_and_recall(real, drawn, NEIGHBOURS)
        return {
            "frechet_distance": frechet_distance(drawn, real),
            "precision": precision,
            "recall": recall,
            "coverage": coverage(real, drawn, COVERAGE_NEIGHBOURS),
        }

    def _two_sample(self, drawn: LabelledImages) -> dict[str, object]:
        """The accuracy of telling samples with the labels of the test digits from these."""
        recipes = [two_sample_recipe(recipe) for recipe in self._recipes]
        found = [two_sample_accuracy(self.test, drawn, recipe, self._device) for recipe in recipes]
        return {"c2st": sum(found) / len(found), "c2st_by_seed": found}

    def _nearest_distance(self, images: Tensor) -> dict[str, float]:
        """The median distance of images to their nearest training images; ink is 1."""
        distance, _ = nearest(_flat(images), _flat(self.train.images))
        return {"nearest_training_distance": distance.median().item()}

    def _per_label(
        self, samples: LabelledImages, judgement: Judgement, accuracy: list[float]
    ) -> list[dict[str, float]]:
        return [
            {
                "label": label,
                "cas": cas,
                "label_agreement": (judgement.labels[asked] == label).float().mean().item(),
                "frechet_distance": frechet_distance(
                    judgement.features[asked], self._real.features[self.test.labels == label]
                ),
            }
            for label, cas in enumerate(accuracy)
            for asked in [samples.labels == label]
        ]


def _drawn(generator: Generator, labels: Tensor, noise: Tensor) -> Tensor:
    """Grey levels (N, H, W) uint8 for labels (N,) and noise (N, Z)."""
    parts = [
        generator.draw(generator.one_hot(some_labels.numpy()), some_noise.numpy())
        for some_labels, some_noise in zip(
            torch.split(labels, CHUNK), torch.split(noise, CHUNK), strict=True
        )
    ]
    return torch.from_numpy(np.concatenate(parts))


def _forms(images: Tensor) -> dict[str, object]:
    """Specks, frame and grey levels of images (N, H, W) uint8."""
    return {
        "speck_share": speck_share(images),
        "frame_share": frame_share(images),
        "grey_levels": grey_levels(images),
    }


def _alike(data: LabelledImages, labels: Tensor, rng: torch.Generator) -> LabelledImages:
    """Random images of the data with these labels (N,), none twice if there are enough."""
    chosen = torch.empty_like(labels)
    for label in range(int(labels.max()) + 1):
        places, wanted = (data.labels == label).nonzero().squeeze(1), labels == label
        shuffled = places[torch.randperm(len(places), generator=rng)]
        chosen[wanted] = shuffled[torch.arange(int(wanted.sum())) % len(places)]
    return LabelledImages(data.images[chosen], labels)


def _flat(images: Tensor) -> Tensor:
    """Grey levels (N, H, W) as (N, H * W) float32 in [0, 1]."""
    return images.flatten(1).float() / 255
