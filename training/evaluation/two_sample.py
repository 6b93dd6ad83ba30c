"""The classifier two-sample test (C2ST): can a network tell drawn digits from real ones?

A fresh classifier of the judge's form is trained to tell them apart, and its accuracy is measured
on digits that it has not seen: 0.5 means that it cannot. Real digits and drawn ones are the same
number of each label.

Source: Lopez-Paz & Oquab, "Revisiting Classifier Two-Sample Tests", arXiv:1610.06545.
"""

import torch
from torch import Tensor

from training.data import LabelledImages
from training.evaluation.judge import JudgeRecipe, judge_images, train_judge

FOLDS = 2
EPOCHS = 2  # as many times as the judge, because textures take longer to learn than labels


def two_sample_accuracy(
    real: LabelledImages, drawn: LabelledImages, recipe: JudgeRecipe, device: torch.device
) -> float:
    """The accuracy in [0, 1] of telling the two sets apart: the mean over two folds.

    Args:
        real: real pictures that took no part in training the generator.
        drawn: drawn digits with the same labels in the same order.
        recipe: the settings of the classifier and the seed of the folds.
        device: where the classifier is trained.
    """
    images = torch.cat([real.images, drawn.images])
    kinds = torch.cat([torch.ones(len(real)), torch.zeros(len(drawn))]).long()
    rng = torch.Generator().manual_seed(recipe.seed)
    # A digit and the drawn one of its place are in the same fold, so the labels are balanced.
    order = torch.randperm(len(real), generator=rng)
    found = []
    for held in order.chunk(FOLDS):
        kept = _without(order, held)
        classifier = train_judge(_both(images, kinds, kept, len(real)), recipe, device)
        seen = _both(images, kinds, held, len(real))
        found.append(judge_images(classifier, seen.images, device).agreement(seen.labels))
    return sum(found) / FOLDS


def two_sample_recipe(recipe: JudgeRecipe) -> JudgeRecipe:
    """The settings of these classifiers, from those of the judge: slower and longer."""
    return recipe.model_copy(
        update={"epochs": EPOCHS * recipe.epochs, "batch_size": 64, "learning_rate": 1e-3}
    )


def _both(images: Tensor, kinds: Tensor, places: Tensor, count: int) -> LabelledImages:
    """The real and the drawn digits at these places."""
    indices = torch.cat([places, places + count])
    return LabelledImages(images[indices], kinds[indices])


def _without(order: Tensor, held: Tensor) -> Tensor:
    return order[~torch.isin(order, held)]
