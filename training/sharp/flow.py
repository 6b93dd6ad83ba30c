"""A label-conditional normalising flow between latents and N(0, I): the teacher's learned prior.

The base distribution is the same for all labels, so that labels can share one noise.

Source: Dinh et al., "Density estimation using Real NVP", arXiv:1605.08803, section 3, where a tanh
bounds the scale, too.

Dimensions: B batch, Z latent, K classes.
"""

import math

import torch
from torch import Tensor, nn

from model.cvae import dense_stack

ORDERS_SEED = 5
MAX_LOG_SCALE = 2.0  # per layer; a scale of e^2 suffices and keeps the inverse stable


class Coupling(nn.Module):
    """Applies an affine map to half of the features; the other half and the label determine it."""

    def __init__(self, size: int, classes: int, width: int) -> None:
        super().__init__()
        self.kept = size // 2
        moved = size - self.kept
        self.layers = dense_stack((self.kept + classes, width, width, 2 * moved))

    def _affine(self, kept: Tensor, one_hot: Tensor) -> tuple[Tensor, Tensor]:
        log_scale, shift = self.layers(torch.cat([kept, one_hot], dim=1)).chunk(2, dim=1)
        return MAX_LOG_SCALE * torch.tanh(log_scale / MAX_LOG_SCALE), shift

    def forward(self, features: Tensor, one_hot: Tensor) -> tuple[Tensor, Tensor]:
        """Towards the noise: features (B, Z) and the log-determinant (B,)."""
        kept, moved = features[:, : self.kept], features[:, self.kept :]
        log_scale, shift = self._affine(kept, one_hot)
        return torch.cat([kept, moved * log_scale.exp() + shift], dim=1), log_scale.sum(dim=1)

    def inverse(self, features: Tensor, one_hot: Tensor) -> Tensor:
        """Towards the latent: features (B, Z)."""
        kept, moved = features[:, : self.kept], features[:, self.kept :]
        log_scale, shift = self._affine(kept, one_hot)
        return torch.cat([kept, (moved - shift) * torch.exp(-log_scale)], dim=1)


class Flow(nn.Module):
    """Latent to noise and back, given the label: couplings, each after reordering the features.

    The orders are random, so that each coupling keeps another half. They are part of the network,
    and the same in every run.
    """

    def __init__(self, latent: int, classes: int, depth: int, width: int) -> None:
        super().__init__()
        self.couplings = nn.ModuleList(Coupling(latent, classes, width) for _ in range(depth))
        rng = torch.Generator().manual_seed(ORDERS_SEED)
        orders = [torch.randperm(latent, generator=rng) for _ in range(depth)]
        self.orders: Tensor  # (depth, Z) int64
        self.register_buffer("orders", torch.stack(orders))

    def forward(self, latent: Tensor, one_hot: Tensor) -> tuple[Tensor, Tensor]:
        """The noise of a latent.

        Args:
            latent: (B, Z) float32.
            one_hot: (B, K) float32.
        Returns:
            noise (B, Z) float32, log |d noise / d latent| (B,) float32.
        """
        total = latent.new_zeros(len(latent))
        for coupling, order in zip(self.couplings, self.orders, strict=True):
            latent, log_determinant = coupling(latent[:, order], one_hot)
            total = total + log_determinant
        return latent, total

    def inverse(self, noise: Tensor, one_hot: Tensor) -> Tensor:
        """The latent (B, Z) float32 of noise (B, Z) float32 from N(0, I), for labels (B, K)."""
        for coupling, order in zip(reversed(self.couplings), self.orders.flip(0), strict=True):
            assert isinstance(coupling, Coupling)
            noise = coupling.inverse(noise, one_hot)[:, order.argsort()]
        return noise

    def negative_log_density(self, latent: Tensor, one_hot: Tensor) -> Tensor:
        """-log p(latent | label) per latent, (B,) float32 in nats."""
        noise, log_determinant = self(latent, one_hot)
        normal = 0.5 * (noise.square() + math.log(2 * math.pi)).sum(dim=1)
        return torch.as_tensor(normal - log_determinant)
