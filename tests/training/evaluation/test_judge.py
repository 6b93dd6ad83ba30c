from pathlib import Path

import pytest
import torch

from tests.training.conftest import CPU, Mnist
from training.evaluation.judge import Judge, JudgeRecipe, cached_judge, judge_images, train_judge

SHORT = JudgeRecipe(epochs=3, batch_size=50)


@pytest.fixture(scope="module")
def judge(mnist: Mnist) -> Judge:
    return train_judge(mnist[0], SHORT, CPU)


def test_judge_learns_the_slice(judge: Judge, mnist: Mnist) -> None:
    judgement = judge_images(judge, mnist[1].images, CPU)
    assert judgement.features.shape == (200, 64)
    assert judgement.agreement(mnist[1].labels) > 0.8


def test_train_judge_same_recipe_same_weights_other_seed_other_weights(mnist: Mnist) -> None:
    quick = SHORT.model_copy(update={"epochs": 1, "batch_size": 500})
    first, again, other = (
        train_judge(mnist[0], quick.model_copy(update={"seed": seed}), CPU).scores.weight
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_cached_judge_is_trained_once_per_data_and_recipe(mnist: Mnist, tmp_path: Path) -> None:
    quick = SHORT.model_copy(update={"epochs": 1, "batch_size": 500})
    first = cached_judge(tmp_path, mnist[0], quick, CPU)
    (path,) = tmp_path.iterdir()
    written = path.stat().st_mtime_ns
    again = cached_judge(tmp_path, mnist[0], quick, CPU)
    assert path.stat().st_mtime_ns == written
    assert torch.equal(first.scores.weight, again.scores.weight)
    cached_judge(tmp_path, mnist[0], quick.model_copy(update={"seed": 9}), CPU)
    cached_judge(tmp_path, mnist[1], quick, CPU)
    assert len(list(tmp_path.iterdir())) == 3
