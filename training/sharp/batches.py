"""Random training batches: real digits, and noise with labels."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

from training.data import LabelledImages


class Batches:
    """Batches of one size, all random numbers from one generator.

    Args:
        data: the real digits.
        batch_size: B, images per batch.
        classes: K, number of labels.
        latent: Z, number of latent dimensions.
        rng: the random generator, on the CPU.
        device: the device of the batches.
    """

    def __init__(
        self,
        data: LabelledImages,
        batch_size: int,
        classes: int,
        latent: int,
        rng: torch.Generator,
        device: torch.device,
    ) -> None:
        self.data = data
        self.device = device
        self.batch_size = min(batch_size, len(data))
        self.classes = classes
        self.latent = latent
        self.rng = rng
        self._order = self._shuffled()

    def indices(self) -> Tensor:
        """Indices (B,) int64 of digits: all in random order, then all in another order."""
        return next(self._order)

    def digits(self) -> tuple[Tensor, Tensor]:
        """Real images (B, H, W) float32 in [0, 1] and their one-hot labels (B, K) float32."""
        images, labels = self.data.batch(self.indices(), self.device)
        return images, self.one_hot(labels)

    def noise(self) -> Tensor:
        """Noise (B, Z) float32 from N(0, I)."""
        noise = torch.randn(self.batch_size, self.latent, generator=self.rng)
        return noise.to(self.device)

    def uniform(self, count: int) -> Tensor:
        """Numbers (B, count) float32, uniform in [-1, 1]."""
        unit = torch.rand(self.batch_size, count, generator=self.rng)
        return (2 * unit - 1).to(self.device)

    def chosen(self, share: float) -> Tensor:
        """A column (B, 1) float32: 1 with the probability `share`, else 0."""
        return (self.uniform(1) > 1 - 2 * share).float()

    def labels(self) -> Tensor:
        """One-hot labels (B, K) float32, uniformly distributed."""
        labels = torch.randint(self.classes, (self.batch_size,), generator=self.rng)
        return self.one_hot(labels).to(self.device)

    def one_hot(self, labels: Tensor) -> Tensor:
        """Labels (...) int64 as one-hot vectors (..., K) float32."""
        return functional.one_hot(labels, self.classes).float()

    def _shuffled(self) -> Iterator[Tensor]:
        while True:
            order = torch.randperm(len(self.data), generator=self.rng)
            whole = len(order) // self.batch_size * self.batch_size  # the rest is skipped
            yield from torch.split(order[:whole], self.batch_size)
