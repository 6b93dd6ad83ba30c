from pathlib import Path

import pytest
import torch

from tests.training.conftest import CPU, Mnist
from training.data import LabelledImages
from training.evaluation.judge import JudgeRecipe
from training.evaluation.score import ClassifierScore

RECIPES = [JudgeRecipe(epochs=2, batch_size=50, seed=seed) for seed in (0, 1)]


def test_score_is_paired_with_real_digits_of_the_same_seeds(mnist: Mnist, tmp_path: Path) -> None:
    train, test = mnist
    score = ClassifierScore(train, test, RECIPES, tmp_path, CPU)
    real = score.measure_real_digits()
    same = score.measure(score.right(train))
    assert same == {**real, "cas_gap": 0, "cas_gap_standard_error": 0}
    shuffled = train.labels[torch.randperm(len(train), generator=torch.Generator().manual_seed(0))]
    right = score.right(LabelledImages(train.images, shuffled))
    worse = score.measure(right)
    assert worse["cas"] < 0.5 < real["cas"]
    assert worse["cas_gap"] == pytest.approx(real["cas"] - worse["cas"])
    assert worse["cas_gap_standard_error"] > 0
    assert len(worse["cas_by_seed"]) == len(RECIPES)
    counts = torch.bincount(test.labels, minlength=10)
    mean = (torch.tensor(score.by_label(right, 10)) * counts).sum() / len(test)
    assert mean.item() == pytest.approx(worse["cas"], abs=1e-5)
