"""Style of a digit as two numbers, and whether digits that share their noise share their style."""

import torch
from torch import Tensor


def slant(images: Tensor) -> Tensor:
    """How far each digit leans: columns to the left for each row down, (N,) float32.

    The slope of ink's column on its row, by least squares: 0 upright, 1 leaning right by 45
    degrees. An image without ink, or with ink in one row only, has slant 0.

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
    """The amount of ink of each of images (N, H, W) in [0, 1]: its sum, in pixels, (N,)."""
    return images.sum(dim=(1, 2))


def correlation_between_labels(style: Tensor) -> float:
    """The mean correlation of a style between two labels, over all pairs of labels.

    Args:
        style: (N, K), one number for each of N noises drawn as each of K labels.
    Returns:
        In [-1, 1]: 1 where the same noise always gives the same style, 0 where it says nothing.
    """
    correlations = torch.corrcoef(style.T)  # (K, K)
    labels = len(correlations)
    return float((correlations.sum() - correlations.trace()) / (labels * (labels - 1)))
