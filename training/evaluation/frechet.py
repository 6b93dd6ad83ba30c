"""The Frechet distance between two sets of features, each modelled as one Gaussian.

Source: Heusel et al., "GANs Trained by a Two Time-Scale Update Rule ...", arXiv:1706.08500,
equation 6, by torchmetrics, with the features of our judge instead of Inception's.
"""

from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance


def frechet_distance(first: Tensor, second: Tensor) -> float:
    """|mean - mean'|^2 + trace(C + C' - 2 (C C')^(1/2)), in squared units of the features.

    Zero for equal sets. It is larger for fewer samples, so compare equal counts only.

    Args:
        first: (N, F) features of one set, N > F.
        second: (M, F) features of the other.
    Returns:
        The distance, >= 0 up to rounding.
    """
    metric = FrechetInceptionDistance(feature=_Features(first.shape[1]))
    metric.update(first.double(), real=False)  # the metric sums in this precision
    metric.update(second.double(), real=True)
    return float(metric.compute())


class _Features(nn.Module):
    """The identity, as the network from images to features that the metric expects."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.num_features = size

    def forward(self, features: Tensor) -> Tensor:
        return features
