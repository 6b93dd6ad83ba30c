import pytest
import torch

from training.evaluation.style import correlation_between_labels, ink, slant


def bar(lean: float) -> torch.Tensor:
    """A bar of 20 rows whose column moves right by `lean` for each row up."""
    image = torch.zeros(28, 28)
    for row in range(4, 24):
        column = 14 - lean * (row - 14)
        left = int(column)
        image[row, left] += 1 - (column - left)
        image[row, left + 1] += column - left
    return image


@pytest.mark.parametrize("lean", [-0.5, 0.0, 0.3, 0.5])
def test_slant_of_a_sheared_bar_equals_the_shear_at_any_position(lean: float) -> None:
    for shift in ((0, 0), (2, -3)):
        moved = torch.roll(bar(lean), shift, dims=(0, 1))
        assert slant(moved.unsqueeze(0)).item() == pytest.approx(lean, abs=0.01)


def test_slant_of_no_ink_or_one_row_is_zero() -> None:
    images = torch.zeros(2, 28, 28)
    images[1, 5] = 1
    assert slant(images).tolist() == [0, 0]


def test_ink_is_the_sum_of_the_pixels() -> None:
    assert ink(torch.full((2, 28, 28), 0.5)).tolist() == [392, 392]


def test_correlation_is_1_for_shared_and_0_for_independent_styles() -> None:
    rng = torch.Generator().manual_seed(0)
    hand = torch.randn(2000, 1, generator=rng)
    own = torch.randn(2000, 10, generator=rng)
    assert correlation_between_labels(hand * torch.arange(1, 11)) == pytest.approx(1)
    assert correlation_between_labels(own) == pytest.approx(0, abs=0.02)
    assert correlation_between_labels(hand + own) == pytest.approx(0.5, abs=0.05)
