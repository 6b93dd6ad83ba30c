import pytest
import torch

from model.cvae import draw_weights
from training.sharp.flow import Flow

LABELS = torch.eye(10)[torch.arange(6)]


@pytest.fixture
def flow() -> Flow:
    flow = Flow(latent=5, classes=10, depth=3, width=16)
    draw_weights(flow, torch.Generator().manual_seed(0))
    return flow


def test_inverse_undoes_forward(flow: Flow) -> None:
    latent = torch.randn(6, 5)
    noise, _ = flow(latent, LABELS)
    assert not torch.allclose(noise, latent)
    torch.testing.assert_close(flow.inverse(noise, LABELS), latent, atol=1e-5, rtol=1e-4)


def test_log_determinant_is_that_of_the_jacobian(flow: Flow) -> None:
    latent = torch.randn(6, 5)
    _, found = flow(latent, LABELS)
    for index in range(6):

        def noise(
            one: torch.Tensor, label: torch.Tensor = LABELS[index : index + 1]
        ) -> torch.Tensor:
            return torch.as_tensor(flow(one.unsqueeze(0), label)[0][0])

        jacobian = torch.autograd.functional.jacobian(noise, latent[index])  # type: ignore[no-untyped-call]
        expected = torch.linalg.slogdet(jacobian).logabsdet
        torch.testing.assert_close(found[index], expected, atol=1e-5, rtol=1e-4)


def test_negative_log_density_integrates_to_one() -> None:
    flow = Flow(latent=2, classes=10, depth=2, width=8)
    draw_weights(flow, torch.Generator().manual_seed(1))
    side = torch.linspace(-8, 8, 161)  # a grid of 0.1, on which N(0, I) has all its mass
    grid = torch.cartesian_prod(side, side)
    label = torch.eye(10)[3].expand(len(grid), -1)
    with torch.no_grad():
        mass = torch.exp(-flow.negative_log_density(grid, label)).sum() * 0.01
    assert mass.item() == pytest.approx(1, abs=0.01)


def test_label_changes_the_map(flow: Flow) -> None:
    noise = torch.zeros(2, 5)
    first, second = flow.inverse(noise, torch.eye(10)[:2])
    assert not torch.allclose(first, second)
