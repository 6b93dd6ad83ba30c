import torch

from tests.training.conftest import CPU, Mnist
from training.data import LabelledImages
from training.evaluation.judge import JudgeRecipe
from training.evaluation.two_sample import two_sample_accuracy

RECIPE = JudgeRecipe(epochs=10, batch_size=20, learning_rate=1e-3)


def test_other_paper_gives_samples_away(mnist: Mnist) -> None:
    real = mnist[1]
    hazy = LabelledImages(real.images.clamp(min=40), real.labels)
    assert two_sample_accuracy(real, hazy, RECIPE, CPU) > 0.95


def test_digits_of_the_same_source_cannot_be_told_apart(mnist: Mnist) -> None:
    data, half = mnist[0], len(mnist[0]) // 2
    order = torch.randperm(2 * half, generator=torch.Generator().manual_seed(0))
    first, second = (
        LabelledImages(data.images[part], data.labels[part])
        for part in (order[:half], order[half:])
    )
    assert abs(two_sample_accuracy(first, second, RECIPE, CPU) - 0.5) < 0.1
