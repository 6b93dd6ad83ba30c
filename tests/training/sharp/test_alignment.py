import pytest
import torch

from training.evaluation.style import correlation_between_labels, ink, slant
from training.sharp.alignment import aligning_rotations, rotate


def bars(noise: torch.Tensor, one_hot: torch.Tensor) -> torch.Tensor:
    """Bars whose slant and ink depend on two numbers of the noise, different ones per label."""
    label = one_hot.argmax(dim=1, keepdim=True)
    lean = 0.1 * noise.gather(1, 2 * label).squeeze(1)
    weight = 0.5 + 0.05 * noise.gather(1, 2 * label + 1).squeeze(1)
    rows = torch.arange(28.0)
    columns = 14 - lean[:, None] * (rows - 14)  # (N, H), of the bar in each row
    distance = (torch.arange(28.0) - columns[:, :, None]).abs()  # (N, H, W)
    return weight[:, None, None] * torch.exp(-distance.square() / 4)


def correlations(rotations: torch.Tensor) -> list[float]:
    noise = torch.randn(400, 8, generator=torch.Generator().manual_seed(1))
    noise = noise.repeat_interleave(3, dim=0)
    one_hot = torch.eye(3).repeat(400, 1)
    images = bars(rotate(noise, rotations, one_hot), one_hot)
    return [correlation_between_labels(style(images).reshape(400, 3)) for style in (slant, ink)]


@pytest.fixture
def rotations() -> torch.Tensor:
    noise = torch.randn(1000, 8, generator=torch.Generator().manual_seed(0))
    return aligning_rotations(bars, noise, classes=3)


def test_alignment_gives_all_labels_of_one_noise_the_same_style(rotations: torch.Tensor) -> None:
    for before in correlations(torch.eye(8).repeat(3, 1, 1)):
        assert abs(before) < 0.2
    for after in correlations(rotations):
        assert after > 0.9


def test_rotations_preserve_the_distribution_of_the_noise(rotations: torch.Tensor) -> None:
    unit = torch.eye(8).repeat(3, 1, 1)
    torch.testing.assert_close(rotations @ rotations.transpose(1, 2), unit, atol=1e-5, rtol=0)


def test_rotate_applies_the_rotation_of_each_label(rotations: torch.Tensor) -> None:
    noise, one_hot = torch.randn(2, 8), torch.eye(3)[[2, 0]]
    turned = rotate(noise, rotations, one_hot)
    torch.testing.assert_close(turned[0], rotations[2] @ noise[0])
    back = rotate(turned, rotations.transpose(1, 2), one_hot)
    torch.testing.assert_close(back, noise)
