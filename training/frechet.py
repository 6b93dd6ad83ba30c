"""The Frechet distance between two sets of features, each taken as one Gaussian.

Source: Heusel et al., "GANs Trained by a Two Time-Scale Update Rule ...", arXiv:1706.08500,
equation 6, with the features of our own judge in place of Inception's.
"""

import torch
from torch import Tensor


def frechet_distance(first: Tensor, second: Tensor) -> float:
    """|mean - mean'|^2 + trace(C + C' - 2 (C C')^(1/2)), in squared units of the features.

    Zero for equal sets. It grows with fewer samples, so compare equal counts only.

    Args:
        first: (N, F) features of one set, N > F.
        second: (M, F) of the other.
    Returns:
        The distance, >= 0 up to rounding.
    """
    means = [features.double().mean(dim=0) for features in (first, second)]
    covariances = [torch.cov(features.double().T) for features in (first, second)]
    # C C' has the eigenvalues of the symmetric C^(1/2) C' C^(1/2), whose root is safe to take.
    root = _root(covariances[0])
    cross = torch.linalg.eigvalsh(root @ covariances[1] @ root).clamp(min=0).sqrt().sum()
    shift = (means[0] - means[1]).square().sum()
    return float(shift + covariances[0].trace() + covariances[1].trace() - 2 * cross)


def _root(matrix: Tensor) -> Tensor:
    """The square root of a symmetric matrix without negative eigenvalues."""
    values, vectors = torch.linalg.eigh(matrix)
    return torch.as_tensor(vectors * values.clamp(min=0).sqrt() @ vectors.T)
