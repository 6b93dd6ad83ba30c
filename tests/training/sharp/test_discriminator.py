import math

import pytest
import torch

from training.sharp.discriminator import (
    Discriminator,
    FeatureDiscriminator,
    PictureDiscriminator,
    gradient_penalty,
    relativistic_loss,
)


@pytest.mark.parametrize("side", [20, 28])
@pytest.mark.parametrize("kind", [PictureDiscriminator, FeatureDiscriminator])
def test_score_is_one_number_per_input_and_depends_on_label_and_noise(
    kind: type[Discriminator], side: int
) -> None:
    discriminator: Discriminator
    shape: tuple[int, ...]
    if kind is PictureDiscriminator:
        discriminator, shape = PictureDiscriminator(side, 10, 4, width=2), (side, side)
    else:
        discriminator, shape = (
            FeatureDiscriminator(side, 6, 10, 4, width=2),
            (6, side // 4, side // 4),
        )
    inputs, noise, labels = torch.rand(3, *shape), torch.rand(3, 4), torch.eye(10)[:3]
    score = discriminator(inputs, noise, labels)
    assert score.shape == (3,)
    assert not torch.equal(score, discriminator(inputs, noise, labels.roll(1, 0)))
    assert not torch.equal(score, discriminator(inputs, noise + 1, labels))


def test_relativistic_loss_is_ln_2_when_undecided_and_rewards_the_better_one() -> None:
    real, drawn = torch.tensor([3.0]), torch.tensor([-3.0])
    assert relativistic_loss(real, real).item() == pytest.approx(math.log(2))
    assert relativistic_loss(real, drawn) < 0.01 < relativistic_loss(drawn, real)
    assert relativistic_loss(real + 7, drawn + 7) == relativistic_loss(real, drawn)


def test_gradient_penalty_of_a_plane_is_its_slope_squared() -> None:
    images = torch.rand(2, 28, 28, requires_grad=True)
    score = 3 * images[:, 0, 0] + 4 * images[:, 1, 1]
    assert gradient_penalty(score, images).item() == pytest.approx(25)
