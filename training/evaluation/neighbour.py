"""Nearest neighbours: precision and recall of samples, and whether samples copy training images.

Source: Kynkaanniemi et al., "Improved Precision and Recall Metric for Assessing Generative
Models", arXiv:1904.06991, section 2.
"""

import torch
from torch import Tensor

CHUNK = 1000  # rows of the distance matrix at once


def precision_and_recall(real: Tensor, drawn: Tensor, neighbours: int) -> tuple[float, float]:
    """How many samples look real, and how many real digits the samples cover, each in [0, 1].

    Args:
        real: (N, F) features of real digits.
        drawn: (M, F) features of samples.
        neighbours: k; a set's manifold is the union of balls around its points, each as large
            as the distance to the k-th nearest other point.
    """
    return _share_inside(drawn, real, neighbours), _share_inside(real, drawn, neighbours)


def nearest(queries: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """The nearest of `points` (M, F) for each of `queries` (N, F): distances and indices, (N,)."""
    found = [torch.cdist(part, points).min(dim=1) for part in torch.split(queries, CHUNK)]
    return torch.cat([part.values for part in found]), torch.cat([part.indices for part in found])


def _share_inside(queries: Tensor, points: Tensor, neighbours: int) -> float:
    """The share of `queries` that lie in the manifold of `points`."""
    # The nearest of all is the point itself, at distance 0: hence the + 1.
    radii = torch.cat(
        [
            torch.cdist(part, points).kthvalue(neighbours + 1, dim=1).values
            for part in torch.split(points, CHUNK)
        ]
    )
    inside = [
        (torch.cdist(part, points) <= radii).any(dim=1) for part in torch.split(queries, CHUNK)
    ]
    return torch.cat(inside).float().mean().item()
