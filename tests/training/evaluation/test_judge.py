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


def test_cached_judge_is_trained_once_per_data_and_recipe(mnist: Mnist, tmp_path: Path) -> None:
    quick = SHORT.model_copy(update={"epochs": 1, "batch_size": 500})
    first = cached_judge(tmp_path, mnist[0], quick, CPU).scores.weight
    (path,) = tmp_path.iterdir()
    written = path.stat().st_mtime_ns
    assert torch.equal(cached_judge(tmp_path, mnist[0], quick, CPU).scores.weight, first)
    assert path.stat().st_mtime_ns == written
    assert torch.equal(train_judge(mnist[0], quick, CPU).scores.weight, first)
    other = quick.model_copy(update={"seed": 9})
    assert not torch.equal(cached_judge(tmp_path, mnist[0], other, CPU).scores.weight, first)
    cached_judge(tmp_path, mnist[1], quick, CPU)
    assert len(list(tmp_path.iterdir())) == 3


def test_judge_of_few_images_is_trained_for_the_least_number_of_steps(mnist: Mnist) -> None:
    recipe = JudgeRecipe(epochs=1, batch_size=100)
    more = recipe.model_copy(update={"least_steps": 2 * len(mnist[1]) // 100})
    twice = recipe.model_copy(update={"epochs": 2})
    found, expected, once = (
        train_judge(mnist[1], each, CPU).scores.weight for each in (more, twice, recipe)
    )
    assert torch.equal(found, expected)
    assert not torch.equal(found, once)


def test_judge_takes_other_numbers_of_labels_and_sizes() -> None:
    assert Judge(classes=3, side=22)(torch.zeros(5, 22, 22)).shape == (5, 3)
