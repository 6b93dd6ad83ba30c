import math

import pytest
import torch

from training.sharp.discriminator import (
    Discriminator,
    FeatureDiscriminator,
    PictureDiscriminator,
    discriminator_loss,
    generator_loss,
    gradient_penalty,
)


@pytest.mark.parametrize(
    ("discriminator", "shape"),
    [
        (PictureDiscriminator(classes=10, width=2), (28, 28)),
        (FeatureDiscriminator(channels=6, classes=10, width=2), (6, 7, 7)),
    ],
)
def test_score_is_one_number_per_input_and_depends_on_the_label(
    discriminator: Discriminator, shape: tuple[int, ...]
) -> None:
    inputs = torch.rand(3, *shape)
    first, second = (discriminator(inputs, torch.eye(10)[[label] * 3]) for label in (0, 1))
    assert first.shape == (3,)
    assert not torch.equal(first, second)


def test_losses_are_ln_2_when_undecided_and_have_opposite_directions() -> None:
    real, undecided, drawn = torch.tensor([3.0]), torch.zeros(4), torch.tensor([-3.0])
    assert discriminator_loss(undecided, undecided).item() == pytest.approx(2 * math.log(2))
    assert generator_loss(undecided).item() == pytest.approx(math.log(2))
    assert discriminator_loss(real, drawn) < discriminator_loss(drawn, real)
    assert generator_loss(drawn) > generator_loss(real)


def test_gradient_penalty_of_a_plane_is_its_slope_squared() -> None:
    images = torch.rand(2, 28, 28, requires_grad=True)
    score = 3 * images[:, 0, 0] + 4 * images[:, 1, 1]
    assert gradient_penalty(score, images).item() == pytest.approx(25)
