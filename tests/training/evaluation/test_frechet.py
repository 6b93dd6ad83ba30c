import pytest
import torch

from training.evaluation.frechet import frechet_distance


@pytest.fixture
def features() -> torch.Tensor:
    return torch.randn(4000, 6, generator=torch.Generator().manual_seed(0))


def test_distance_to_itself_is_zero(features: torch.Tensor) -> None:
    assert frechet_distance(features, features) == pytest.approx(0, abs=1e-9)


def test_shift_of_the_mean_adds_its_square(features: torch.Tensor) -> None:
    assert frechet_distance(features, features + 2) == pytest.approx(6 * 4, rel=1e-4)


def test_change_of_the_covariance_alone_is_seen(features: torch.Tensor) -> None:
    # For C' = s^2 C the distance is trace(C) (s - 1)^2: here s = 3.
    centred = features - features.mean(dim=0)
    trace = torch.cov(centred.T).trace().item()
    assert frechet_distance(centred, 3 * centred) == pytest.approx(4 * trace, rel=1e-4)


def test_change_of_the_correlation_alone_is_seen(features: torch.Tensor) -> None:
    mixed = features.clone()
    mixed[:, 1] = features[:, 0]  # each feature as before, two of them now the same
    assert frechet_distance(features, mixed) > 0.3


def test_distance_is_symmetric_also_with_a_constant_feature(
    features: torch.Tensor,
) -> None:
    silent = features * torch.tensor([1.0, 1, 1, 1, 1, 0])
    there, back = frechet_distance(features, silent), frechet_distance(silent, features)
    assert there == pytest.approx(back, rel=1e-6)
    assert there == pytest.approx(features[:, 5].var().item(), rel=0.05)
