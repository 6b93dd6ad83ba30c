"""The likelihood of binary digits under a CVAE, by importance sampling from its posterior.

The binary cross-entropy of grey pixels, which training minimises, is not a likelihood. Here each
pixel of a test digit becomes ink with the probability of its grey level, and the decoder's pixels
are the probabilities of independent Bernoulli variables.
"""

import math

import torch
from torch import Tensor

from model.cvae import CVAE, reparametrise
from model.objective import reconstruction_nll
from training.data import LabelledImages
from training.evaluation.loss import label_one_hot
from training.randomness import Purpose, keyed_rng

BINARISATION = "each pixel ink with the probability of its grey level, drawn once by seed"
CHUNK = 100  # images at once


@torch.inference_mode()
def importance_weighted_log_likelihood(
    cvae: CVAE, data: LabelledImages, samples: int, seed: int, device: torch.device
) -> float:
    """A lower bound of log p(image | label), mean over `data`, in nats; tighter with more samples.

    Args:
        cvae: in evaluation mode.
        data: the digits.
        samples: k, samples of the posterior per image.
        seed: seed of the binarisation and the samples.
        device: the device of the network.
    Source: Burda et al., "Importance Weighted Autoencoders", arXiv:1509.00519, equation 8.
    """
    rng = keyed_rng(seed, Purpose.METRIC)
    total = 0.0
    for indices in torch.split(torch.arange(len(data)), CHUNK):
        images, labels = data.batch(indices, torch.device("cpu"))
        images = torch.bernoulli(images, generator=rng).to(device)  # (B, H, W)
        one_hot = label_one_hot(labels.to(device), cvae)
        mean, log_variance = cvae.encoder(images, one_hot)  # (B, Z)
        epsilon = torch.randn(samples, *mean.shape, generator=rng).to(device)
        weights = [_log_weight(cvae, images, one_hot, mean, log_variance, draw) for draw in epsilon]
        bound = torch.logsumexp(torch.stack(weights), dim=0) - math.log(samples)  # (B,)
        total += bound.sum().item()
    return total / len(data)


def _log_weight(
    cvae: CVAE,
    images: Tensor,
    one_hot: Tensor | None,
    mean: Tensor,
    log_variance: Tensor,
    epsilon: Tensor,
) -> Tensor:
    """Log p(image|z, label) + log p(z) - log q(z|image, label) at one z per image: (B,) nats."""
    latent = reparametrise(mean, log_variance, epsilon)
    log_ratio = 0.5 * (log_variance + epsilon.square() - latent.square()).sum(dim=1)
    return log_ratio - reconstruction_nll(cvae.decoder.logits(latent, one_hot), images)
