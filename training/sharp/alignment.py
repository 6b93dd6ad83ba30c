"""Rotations of the noise, one per label, so that one noise is one handwriting for all labels.

N(0, I) is invariant under rotation, so the distribution of a label's digits does not change. But
after the rotation a direction of the noise has the same effect on slant and ink for every label.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from training.evaluation.style import ink, slant

STAY = 0.05  # weight of the identity, for directions that do not affect the style
ROUNDS = 5  # of fitting all labels to their mean; it has converged by then

Draw = Callable[[Tensor, Tensor], Tensor]


def aligning_rotations(draw: Draw, noise: Tensor, classes: int) -> Tensor:
    """Rotations (K, Z, Z) after which one noise gives all labels the same style.

    Args:
        draw: pixels (N, H, W) from noise (N, Z) and one-hot labels (N, K).
        noise: (N, Z) float32 from N(0, I), with N much larger than Z.
        classes: K.
    Source: Gower, "Generalized Procrustes Analysis", Psychometrika 40 (1975), for linear maps.
    """
    labels = torch.eye(classes, device=noise.device)
    maps = torch.stack(
        [_style_map(draw(noise, label.expand(len(noise), -1)), noise) for label in labels]
    )  # (K, 2, Z)
    stay = STAY * torch.eye(noise.shape[1], device=noise.device)
    rotations = torch.eye(noise.shape[1], device=noise.device).repeat(classes, 1, 1)
    for _ in range(ROUNDS):
        mean = (maps @ rotations).mean(dim=0)  # (2, Z)
        left, _, right = torch.linalg.svd(maps.transpose(1, 2) @ mean + stay)
        rotations = left @ right
    return rotations


def rotate(noise: Tensor, rotations: Tensor, one_hot: Tensor) -> Tensor:
    """Each noise (B, Z) rotated by the rotation of its label: (B, Z)."""
    return torch.einsum("bk,kyz,bz->by", one_hot, rotations, noise)


def _style_map(images: Tensor, noise: Tensor) -> Tensor:
    """The linear map (2, Z) that predicts the standardised slant and ink from the noise."""
    style = torch.stack([slant(images), ink(images)], dim=1)  # (N, 2)
    style = (style - style.mean(dim=0)) / style.std(dim=0).clamp(min=1e-6)
    return torch.as_tensor(torch.linalg.lstsq(noise, style).solution.T)
