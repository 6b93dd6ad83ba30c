"""The loop that trains a small network: AdamW with a one-cycle schedule."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from training.console import LossBar

SHOWN = 10  # steps between two losses that are shown


class Cycle(NamedTuple):
    """The settings of the loop.

    Attributes:
        steps: their number.
        learning_rate: the highest.
        weight_decay: of AdamW.
        rise: the share of the steps in which the learning rate rises.
    """

    steps: int
    learning_rate: float
    weight_decay: float
    rise: float = 0.3


def fit(name: str, network: nn.Module, cycle: Cycle, loss_of: Callable[[int], Tensor]) -> None:
    """Train a network, and leave it in evaluation mode.

    Args:
        name: of the progress bar.
        network: on its device.
        cycle: the settings.
        loss_of: the number of a step, from 0, to its loss, a scalar.
    """
    network.train()
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=cycle.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, cycle.learning_rate, cycle.steps + 1, pct_start=cycle.rise
    )
    with LossBar(name, cycle.steps) as bar:
        for step in range(cycle.steps):
            loss = loss_of(step)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            if step % SHOWN == 0:
                bar.update(step, f"{loss.item():.4f}")
    network.eval()
