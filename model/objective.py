"""The negative variational lower bound of a CVAE and its two parts, in nats per image.

Source: Kingma & Welling, arXiv:1312.6114, equations 3 and 10, appendix B; conditional on the label
as in "Understanding CVAEs" (T. Roeder, 2018).
"""

from typing import NamedTuple

from torch import Tensor
from torch.nn import functional

from model.cvae import CVAEOutput


class NegativeElbo(NamedTuple):
    """The loss that training minimises, and its parts; each (B,) float32 in nats."""

    total: Tensor  # reconstruction_nll + kl
    reconstruction_nll: Tensor  # -log p(y|z, x)
    kl: Tensor  # KL(q(z|y, x) || p(z))


def gaussian_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, exp(log_variance)) || N(0, I)) per image, in nats, summed over Z.

    Args:
        mean: (B, Z) float32.
        log_variance: (B, Z) float32, natural logarithm of the variance.
    Returns:
        (B,) float32, >= 0 up to rounding.
    Source: Kingma & Welling, arXiv:1312.6114, appendix B.
    """
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(dim=1)


def reconstruction_nll(logits: Tensor, images: Tensor) -> Tensor:
    """Bernoulli negative log-likelihood per image, in nats, summed over the pixels.

    For grey pixels this is the binary cross-entropy of the article, not a true likelihood.

    Args:
        logits: (B, H, W) float32, before the sigmoid.
        images: (B, H, W) float32 in [0, 1].
    Returns:
        (B,) float32, >= 0.
    """
    pixels = functional.binary_cross_entropy_with_logits(logits, images, reduction="none")
    return pixels.flatten(1).sum(dim=1)


def negative_elbo(output: CVAEOutput, images: Tensor) -> NegativeElbo:
    """The negative evidence lower bound of `images` and its parts, per image, in nats.

    It is a bound only if the latent was sampled; at z = mean it is not.

    Args:
        output: the result of one pass of the CVAE over `images`.
        images: (B, H, W) float32 in [0, 1].
    """
    nll = reconstruction_nll(output.logits, images)
    kl = gaussian_kl(output.mean, output.log_variance)
    return NegativeElbo(total=nll + kl, reconstruction_nll=nll, kl=kl)
