"""The loop that trains small networks."""

import torch
from torch import Tensor, nn

from training.fitting import Cycle, fit


def test_fit_calls_each_step_once_and_finds_the_weights_of_a_plane() -> None:
    rng = torch.Generator().manual_seed(0)
    wanted, network, seen = torch.tensor([2.0, -1.0, 0.5]), nn.Linear(3, 1), []

    def loss_of(step: int) -> Tensor:
        assert network.training
        seen.append(step)
        points = torch.randn(32, 3, generator=rng)
        loss: Tensor = ((network(points)[:, 0] - points @ wanted) ** 2).mean()
        return loss

    fit("plane", network, Cycle(300, 0.1), loss_of)
    assert seen == list(range(300))
    assert not network.training
    assert torch.allclose(network.weight[0], wanted, atol=0.01)
