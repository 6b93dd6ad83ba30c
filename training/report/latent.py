"""What a CVAE made of its latent space: posteriors of the test images, as numbers to plot.

Dimensions: N images, Z latent.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from model.cvae import CVAE, reparametrise
from training.data import LabelledImages
from training.evaluation.loss import label_one_hot
from training.randomness import Purpose, keyed_rng

ACTIVE_VARIANCE = 0.01  # of the posterior mean over the images: a number above it is active
MOST_OF_THE_KL = 0.9
CHUNK = 1000  # images encoded at once
PLANE = 2
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Posteriors:
    """The posteriors of N images and one sample of each."""

    mean: Floats  # (N, Z)
    log_variance: Floats  # (N, Z)
    latent: Floats  # (N, Z), a sample of each posterior
    labels: NDArray[np.int64]  # (N,)

    @property
    def kl(self) -> Floats:
        """The KL of each latent dimension from its prior, mean over the images, in nats: (Z,).

        Its sum is the KL of the loss (`model.objective.gaussian_kl`).
        """
        variance = np.exp(self.log_variance)
        each = -0.5 * (1 + self.log_variance - np.square(self.mean) - variance)
        kl: Floats = each.mean(axis=0)
        return kl

    @property
    def active(self) -> int:
        """The number of active units: those whose mean varies with the image.

        Source: Burda et al., "Importance Weighted Autoencoders", arXiv:1509.00519, section 5.2.
        """
        return int(self.is_active.sum())

    @property
    def carrying(self) -> int:
        """How many of the largest latent dimensions together have 90 % of the KL."""
        shares = np.cumsum(np.sort(self.kl)[::-1]) / max(float(self.kl.sum()), 1e-12)
        return min(int(np.searchsorted(shares, MOST_OF_THE_KL)) + 1, len(shares))

    @property
    def is_active(self) -> NDArray[np.bool_]:
        """Whether each latent dimension is active, (Z,)."""
        return np.asarray(self.mean.var(axis=0) > ACTIVE_VARIANCE)


@torch.inference_mode()
def posteriors(
    cvae: CVAE, data: LabelledImages, seed: int, device: torch.device, most: int
) -> Posteriors:
    """The posteriors of the first `most` images of `data`; `cvae` is in evaluation mode."""
    count = min(most, len(data))
    rng = keyed_rng(seed, Purpose.EVALUATION_NOISE, count)
    parts = []
    for indices in torch.split(torch.arange(count), CHUNK):
        images, labels = data.batch(indices, device)
        mean, log_variance = cvae.encoder(images, label_one_hot(labels, cvae))
        epsilon = torch.randn(mean.shape, generator=rng).to(device)
        latent = reparametrise(mean, log_variance, epsilon)
        parts.append([part.cpu() for part in (mean, log_variance, latent, labels)])
    mean, log_variance, latent, labels = (torch.cat(part) for part in zip(*parts, strict=True))
    return Posteriors(mean.numpy(), log_variance.numpy(), latent.numpy(), labels.numpy())


def leading_directions(points: Floats) -> tuple[Floats, float]:
    """Points (N, Z) on their two directions of the largest variance: (N, 2), and its share.

    For two numbers the plane itself is returned, without a rotation.
    """
    if points.shape[1] <= PLANE:
        padded = np.zeros((len(points), PLANE), np.float32)
        padded[:, : points.shape[1]] = points
        return padded, 1.0
    centred = points - points.mean(axis=0)
    _, spread, directions = np.linalg.svd(centred, full_matrices=False)
    share = float(np.square(spread[:PLANE]).sum() / max(np.square(spread).sum(), 1e-12))
    projected: Floats = centred @ directions[:PLANE].T
    return projected, share


def t_sne(points: Floats, seed: int) -> Floats | None:
    """Points (N, Z) on a plane that keeps neighbours together: (N, 2); None without scikit-learn.

    Source: van der Maaten & Hinton, "Visualizing Data using t-SNE", JMLR 9 (2008).
    """
    try:
        from sklearn.manifold import TSNE
    except ModuleNotFoundError:  # it is not needed otherwise
        return None
    perplexity = min(30.0, (len(points) - 1) / 3)
    if perplexity < 1:
        return None
    plane: Floats = TSNE(perplexity=perplexity, random_state=seed, init="pca").fit_transform(points)
    return plane
