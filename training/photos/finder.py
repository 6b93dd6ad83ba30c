"""The finder: a small U-Net that marks the ink of handwritten digits in a frame.

Ronneberger et al., "U-Net", arXiv:1505.04597; here the ways down and up are added, which takes
fewer weights than to join them.
"""

from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from model.cvae import draw_weights
from model.reading.frame import finder_input
from training.fitting import fit
from training.photos.examples import ANYTHING, INK, Examples
from training.photos.recipe import Steps
from training.randomness import Purpose, keyed_rng

WIDTHS = 16, 24, 32, 40  # channels at 1/2, 1/4, 1/8 and 1/16 of the side
FINE = 8  # channels at full size
INK_WEIGHT = 2.0  # of a pixel with ink: there are few


class Finder(nn.Module):
    """Frames (B, 4, SIDE, SIDE) to the logits (B, SIDE, SIDE) of ink."""

    def __init__(self) -> None:
        super().__init__()
        sides = zip((4, *WIDTHS), WIDTHS, strict=False)
        self.down = nn.ModuleList(
            nn.Sequential(_convolution(before, after, 2), _convolution(after, after))
            for before, after in sides
        )
        self.across = nn.ModuleList(nn.Conv2d(below, above, 1) for above, below in pairwise(WIDTHS))
        self.up = nn.ModuleList(_convolution(width, width) for width in WIDTHS[:-1])
        self.fine = nn.Conv2d(WIDTHS[0], 4 * 4, 1)
        self.last = nn.Sequential(_convolution(4 + 4, FINE), nn.Conv2d(FINE, 1, 1))

    def forward(self, planes: Tensor) -> Tensor:
        """See the class; `planes` as `finder_input` makes them."""
        levels = [planes]
        for down in self.down:
            levels.append(down(levels[-1]))
        x = levels.pop()  # (B, 40, SIDE/16, SIDE/16)
        for across, up in zip(reversed(self.across), reversed(self.up), strict=True):
            wide = functional.interpolate(across(x), scale_factor=2.0, mode="nearest")
            x = up(wide + levels.pop())
        x = functional.pixel_shuffle(self.fine(x), 2)  # (B, 4, SIDE, SIDE)
        logits: Tensor = self.last(torch.cat([x, planes], dim=1))[:, 0]
        return logits


def _convolution(before: int, after: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
    )


def train_finder(examples: Examples, steps: Steps, seed: int) -> Finder:
    """A finder trained on examples, in evaluation mode."""
    rng = keyed_rng(seed, Purpose.FINDER)
    finder = Finder()
    draw_weights(finder, rng)
    finder.to(memory_format=torch.channels_last)

    def loss_of(_: int) -> Tensor:
        chosen = torch.randint(len(examples.pixels), (steps.batch,), generator=rng)
        colours = torch.randperm(3, generator=rng)
        return finder_loss(finder, examples, chosen.numpy(), colours)

    fit("finder", finder, steps.cycle, loss_of)
    return finder


def finder_loss(
    finder: Finder, examples: Examples, chosen: NDArray[np.intp], colours: Tensor
) -> Tensor:
    """Mean binary cross entropy of the pixels that are to be marked or not, a scalar.

    Args:
        finder: the network.
        examples: with `chosen` a batch of them.
        chosen: (B,) their numbers.
        colours: (3,) an order of red, green and blue to see them in.
    """
    planes = torch.from_numpy(finder_input(examples.frames(chosen)))
    planes[:, :3] = planes[:, colours]
    wanted = torch.from_numpy(examples.targets[chosen])
    with torch.autocast("cpu", torch.bfloat16):
        logits = finder(planes.to(memory_format=torch.channels_last)).float()
    counted = (wanted != ANYTHING) & (planes[:, 3] > 0)
    ink = (wanted / INK).clamp(max=1)
    losses = functional.binary_cross_entropy_with_logits(
        logits, ink, weight=1 + (INK_WEIGHT - 1) * ink, reduction="none"
    )
    return (losses * counted).sum() / counted.sum()
