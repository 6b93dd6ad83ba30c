"""The style of a digit as two numbers, and how it correlates between labels."""

import torch
from torch import Tensor


def slant(images: Tensor) -> Tensor:
    """The slant of each digit, in columns to the left per row down, (N,) float32.

    It is the slope of the regression of the ink's column on its row: 0 is upright, 1 leans right
    by 45 degrees. An image without ink, or with ink in one row only, has slant 0.

    Args:
        images: (N, H, W) float32, ink > 0.
    """
    total = images.sum(dim=(1, 2)).clamp(min=1e-9)  # (N,)
    rows = torch.arange(images.shape[1], dtype=images.dtype, device=images.device)
    columns = torch.arange(images.shape[2], dtype=images.dtype, device=images.device)
    by_row, by_column = images.sum(dim=2), images.sum(dim=1)  # (N, H), (N, W)
    row = rows - (by_row @ rows / total).unsqueeze(1)  # (N, H), from the centre of the ink
    column = columns - (by_column @ columns / total).unsqueeze(1)  # (N, W)
    spread = (by_row * row.square()).sum(dim=1)
    lean = torch.einsum("nhw,nh,nw->n", images, row, column)
    return torch.where(spread > 0, -lean / spread.clamp(min=1e-9), torch.zeros_like(lean))


def ink(images: Tensor) -> Tensor:
    """The amount of ink in each of images (N, H, W) in [0, 1], in pixels, (N,)."""
    return images.sum(dim=(1, 2))


def correlation_between_labels(style: Tensor) -> float:
    """The mean correlation of a style between two labels, over all pairs of labels.

    Args:
        style: (N, K), of N noises, each drawn as all K labels.
    Returns:
        In [-1, 1]: 1 if the noise determines the style, 0 if they are independent.
    """
    correlations = torch.corrcoef(style.T)  # (K, K)
    labels = len(correlations)
    return float((correlations.sum() - correlations.trace()) / (labels * (labels - 1)))
