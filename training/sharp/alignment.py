"""Rotations of the noise, one for each label, that make one noise one hand across labels.

N(0, I) stays N(0, I) under any rotation, so no label's digits change as a whole; but a direction
of the noise comes to mean the same slant and the same amount of ink whatever the label.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from training.evaluation.style import ink, slant

STAY = 0.05  # how much a rotation prefers to leave alone what has nothing to do with style
ROUNDS = 5  # of moving all labels towards their mean; more change nothing visible

Draw = Callable[[Tensor, Tensor], Tensor]


def aligning_rotations(draw: Draw, noise: Tensor, classes: int) -> Tensor:
    """Rotations (K, Z, Z): drawn from `rotation @ noise`, all labels share their style.

    Args:
        draw: pixels (N, H, W) from noise (N, Z) and one-hot labels (N, K).
        noise: (N, Z) float32 from N(0, I), N well above Z.
        classes: K.
    Source: Gower, "Generalized Procrustes Analysis", Psychometrika 40 (1975), of linear maps.
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
    """Each noise (B, Z) turned by the rotation of its label: (B, Z)."""
    return torch.einsum("bk,kyz,bz->by", one_hot, rotations, noise)


def _style_map(images: Tensor, noise: Tensor) -> Tensor:
    """The linear map (2, Z) that predicts an image's standardised slant and ink from its noise."""
    style = torch.stack([slant(images), ink(images)], dim=1)  # (N, 2)
    style = (style - style.mean(dim=0)) / style.std(dim=0).clamp(min=1e-6)
    return torch.as_tensor(torch.linalg.lstsq(noise, style).solution.T)
