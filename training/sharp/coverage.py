"""Coverage: a loss for the real digits that no drawn digit resembles.

A discriminator punishes a drawn digit that looks like no real one, and hardly notices a kind of
real digit that is never drawn. Here real digits look for the nearest of many samples with their
label, in the guide's features. Those that find none near pull the nearest towards them. This is
implicit maximum likelihood estimation (Li and Malik, arXiv:1809.09087), label by label and for the
worst digits only.

Dimensions: B batch, C channels, H height, W width, K classes, Z latent.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from training.sharp.batches import Batches
from training.sharp.recipe import CoverageSettings

Draw = Callable[[Tensor, Tensor], Tensor]  # noise (B, Z) and one-hot (B, K) to pixels (B, H, W)
Features = Callable[[Tensor], Tensor]  # pixels (B, H, W) to feature maps (B, C, h, w)
BLOCK = 1000  # images at once in a search, which bounds its memory


class Nearest(NamedTuple):
    """Real digits, each with the noise of the nearest sample."""

    digits: Tensor  # (N,) int64, indices into the real digits
    noise: Tensor  # (N, Z) float32


class Coverage:
    """Compares uncovered digits with the samples that are nearest to them.

    Args:
        draw: the decoder, with the gradients that train it.
        features: what is compared of a digit.
        batches: of the stage; half as many uncovered digits are compared in each step.
        settings: how often and how widely uncovered digits are searched for.
    """

    def __init__(
        self, draw: Draw, features: Features, batches: Batches, settings: CoverageSettings
    ) -> None:
        self._draw = draw
        self._features = features
        self._batches = batches
        self._settings = settings
        self._steps = 0
        self._uncovered: Nearest

    def loss(self) -> Tensor:
        """The mean squared difference in a feature, of some uncovered digits, a scalar."""
        if self._steps % self._settings.every == 0:
            self._uncovered = self.search()
        self._steps += 1
        found, batches = self._uncovered, self._batches
        count = max(1, batches.batch_size // 2)
        chosen = torch.randint(len(found.digits), (count,), generator=batches.rng)
        images, labels = batches.data.batch(found.digits[chosen], batches.device)
        drawn = self._draw(found.noise[chosen].to(batches.device), batches.one_hot(labels))
        return functional.mse_loss(self._features(drawn), self._features(images))

    @torch.no_grad()
    def search(self) -> Nearest:
        """The uncovered digits: those whose nearest sample is farthest away, farthest first."""
        batches, settings = self._batches, self._settings
        order = torch.randperm(len(batches.data), generator=batches.rng)[: settings.digits]
        noise = torch.empty(len(order), batches.latent)
        distances = torch.empty(len(order))
        labels = batches.data.labels[order]
        for label in torch.unique(labels):
            places = (labels == label).nonzero().squeeze(1)
            noise[places], distances[places] = self._nearest(label, order[places])
        worst = distances.argsort(descending=True)[: max(1, int(settings.share * len(order)))]
        return Nearest(order[worst], noise[worst])

    def _nearest(self, label: Tensor, digits: Tensor) -> tuple[Tensor, Tensor]:
        """The noise (N, Z) of the nearest sample of each of N digits of a label, and how far."""
        batches = self._batches
        count = max(1, self._settings.samples // batches.classes)
        noise = torch.randn(count, batches.latent, generator=batches.rng)
        one_hot = batches.one_hot(label.to(batches.device))
        sampled = torch.cat(
            [
                self._vectors(self._draw(block.to(batches.device), one_hot.expand(len(block), -1)))
                for block in torch.split(noise, BLOCK)
            ]
        )
        found = []
        for block in torch.split(digits, BLOCK):
            images, _ = batches.data.batch(block, batches.device)
            # Inexact only where both nearly coincide, and such digits are covered.
            found.append(torch.cdist(self._vectors(images), sampled).min(dim=1))
        nearest = torch.cat([each.indices for each in found]).cpu()
        return noise[nearest], torch.cat([each.values for each in found]).cpu()

    def _vectors(self, images: Tensor) -> Tensor:
        return self._features(images).flatten(1)
