import pytest
import torch

from model.cvae import draw_weights
from training.sharp.flow import Flow

LABELS = torch.eye(10)[torch.arange(6)]


def test_inverse_undoes_forward(flow: Flow) -> None:
    latent = torch.randn(6, 6)
    noise, _ = flow(latent, LABELS)
    assert not torch.allclose(noise, latent)
    assert not torch.allclose(noise, flow(latent, LABELS.roll(1, 0))[0])
    torch.testing.assert_close(flow.inverse(noise, LABELS), latent, atol=1e-5, rtol=1e-4)


def test_log_determinant_is_that_of_the_jacobian(flow: Flow) -> None:
    latent = torch.randn(6, 6)
    _, found = flow(latent, LABELS)
    jacobian = torch.autograd.functional.jacobian(lambda each: flow(each, LABELS)[0], latent)  # type: ignore[no-untyped-call]
    each = torch.arange(6)
    expected = torch.linalg.slogdet(jacobian[each, :, each]).logabsdet  # (6, 6, 6): of each latent
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_couplings_have_random_orders_that_are_the_same_in_every_run(flow: Flow) -> None:
    again = Flow(latent=6, classes=10, depth=2, width=8)
    assert torch.equal(flow.orders, again.orders)
    assert not torch.equal(*flow.orders)
    for order in flow.orders:
        assert sorted(order.tolist()) == list(range(6))


def test_negative_log_density_integrates_to_one() -> None:
    flow = Flow(latent=2, classes=10, depth=2, width=8)
    draw_weights(flow, torch.Generator().manual_seed(1))
    side = torch.linspace(-8, 8, 161)  # a grid of 0.1, on which N(0, I) has all its mass
    grid = torch.cartesian_prod(side, side)
    label = torch.eye(10)[3].expand(len(grid), -1)
    with torch.no_grad():
        mass = torch.exp(-flow.negative_log_density(grid, label)).sum() * 0.01
    assert mass.item() == pytest.approx(1, abs=0.01)
