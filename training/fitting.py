"""AdamW with a one-cycle schedule, and the loop that trains a small network with it."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from training.console import LossBar

SHOWN = 10  # steps between two losses that are shown
BETAS = (0.9, 0.999)  # of AdamW by default


class Cycle(NamedTuple):
    """The settings of the optimizer.

    Attributes:
        steps: their number.
        learning_rate: the highest.
        weight_decay: of AdamW.
        rise: the share of the steps in which the learning rate rises.
        betas: of AdamW. None: the first falls from 0.95 to 0.85 as the learning rate rises, and
            rises again with its fall (Smith and Topin, arXiv:1708.07120).
    """

    steps: int
    learning_rate: float
    weight_decay: float = 0.0
    rise: float = 0.3
    betas: tuple[float, float] | None = None


class OneCycleOptimizer:
    """AdamW with a one-cycle schedule."""

    def __init__(self, module: nn.Module, cycle: Cycle) -> None:
        self._optimizer = torch.optim.AdamW(
            module.parameters(), betas=cycle.betas or BETAS, weight_decay=cycle.weight_decay
        )
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimizer,
            cycle.learning_rate,
            cycle.steps + 1,
            pct_start=cycle.rise,
            cycle_momentum=cycle.betas is None,
        )

    def step(self, loss: Tensor) -> None:
        """Run one step on the scalar `loss`."""
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        self._schedule.step()


def fit(name: str, network: nn.Module, cycle: Cycle, loss_of: Callable[[int], Tensor]) -> None:
    """Train a network, and leave it in evaluation mode.

    Args:
        name: of the progress bar.
        network: on its device.
        cycle: the settings.
        loss_of: the number of a step, from 0, to its loss, a scalar.
    """
    network.train()
    optimizer = OneCycleOptimizer(network, cycle)
    with LossBar(name, cycle.steps) as bar:
        for step in range(cycle.steps):
            loss = loss_of(step)
            optimizer.step(loss)
            if step % SHOWN == 0:
                bar.update(step, f"{loss.item():.4f}")
    network.eval()
