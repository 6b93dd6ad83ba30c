"""Nearest neighbours: precision, recall and coverage of samples, and copies of training images.

Source: Kynkaanniemi et al., "Improved Precision and Recall Metric for Assessing Generative
Models", arXiv:1904.06991, section 2, and Naeem et al., "Reliable Fidelity and Diversity Metrics
for Generative Models", arXiv:2002.09797, equation 8, for coverage.
"""

import torch
from torch import Tensor

CHUNK = 1000  # rows of the distance matrix at once


def precision_and_recall(real: Tensor, drawn: Tensor, neighbours: int) -> tuple[float, float]:
    """The share of samples that look real, and of real pictures that the samples cover, in [0, 1].

    Args:
        real: (N, F) features of real pictures.
        drawn: (M, F) features of samples.
        neighbours: k; the manifold of a set is the union of balls around its points, whose radius
            is the distance to the k-th nearest other point.
    """
    return _share_inside(drawn, real, neighbours), _share_inside(real, drawn, neighbours)


def coverage(real: Tensor, drawn: Tensor, neighbours: int) -> float:
    """The share of real pictures that have a sample nearer than their k-th real neighbour.

    Unlike recall, one stray sample cannot cover much: the balls are those of the real pictures.

    Args:
        real: (N, F) features of real pictures.
        drawn: (M, F) features of samples.
        neighbours: k. For two equal distributions with N = M, 1 - 2^-k is expected.
    """
    real, drawn = real.double(), drawn.double()
    near = [
        torch.cdist(part, drawn).amin(dim=1) <= radius
        for part, radius in zip(
            torch.split(real, CHUNK), torch.split(_radii(real, neighbours), CHUNK), strict=True
        )
    ]
    return torch.cat(near).float().mean().item()


def nearest(queries: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """The nearest of `points` (M, F) for each of `queries` (N, F): distances and indices, (N,).

    The distances are exact to float32, also those of near copies.
    """
    # |p|^2 - 2 q.p orders the points p as their distances from q do. The product takes a tenth of
    # the time of all differences, but rounds: in float32, as in torch.cdist, it hides near copies,
    # differently on each processor. In float64 the error is about 1e-13 for images, whose squared
    # distances differ by at least 1e-5.
    points = points.double()
    squares = points.square().sum(dim=1)
    index = torch.cat(
        [
            torch.addmm(squares, part.double(), points.T, alpha=-2).argmin(dim=1)
            for part in torch.split(queries, CHUNK)
        ]
    )
    # From differences, which are exact for close points.
    return (queries.double() - points[index]).norm(dim=1).float(), index


def _share_inside(queries: Tensor, points: Tensor, neighbours: int) -> float:
    """The share of `queries` that lie in the manifold of `points`."""
    # In float64, so that comparing distances does not depend on how a processor rounds products.
    queries, points = queries.double(), points.double()
    radii = _radii(points, neighbours)
    inside = [
        (torch.cdist(part, points) <= radii).any(dim=1) for part in torch.split(queries, CHUNK)
    ]
    return torch.cat(inside).float().mean().item()


def _radii(points: Tensor, neighbours: int) -> Tensor:
    """The distance (M,) of each point to its k-th nearest other point."""
    # The nearest of all is the point itself, hence the + 1.
    return torch.cat(
        [
            torch.cdist(part, points).kthvalue(neighbours + 1, dim=1).values
            for part in torch.split(points, CHUNK)
        ]
    )
