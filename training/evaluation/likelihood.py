"""The likelihood of binary digits under a CVAE, by importance sampling from its posterior.

The binary cross-entropy of grey pixels, which training minimises, is not a likelihood. Here each
pixel of a test digit becomes ink with the probability of its grey level, and the sigmoids of the
decoder's logits are the probabilities of independent Bernoulli variables.

A decoder that was sharpened draws one digit instead of the mean of several, and is punished for
every edge that lies one pixel off. Its probabilities can be calibrated on training digits: a
factor and a shift of all logits tell how sure it may be.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from model.cvae import CVAE, reparametrise
from model.objective import reconstruction_nll
from training.data import LabelledImages
from training.evaluation.loss import label_one_hot
from training.randomness import Purpose, keyed_rng

BINARISATION = "each pixel ink with the probability of its grey level, drawn once by seed"
CHUNK = 100  # images at once
CALIBRATION_DIGITS = 5000


class Observation(NamedTuple):
    """The probability of ink is the sigmoid of factor * logit + shift."""

    factor: float = 1.0
    shift: float = 0.0


PLAIN = Observation()


def calibrate(cvae: CVAE, data: LabelledImages, seed: int, device: torch.device) -> Observation:
    """The observation model that predicts binary training digits best, from posterior samples.

    Args:
        cvae: in evaluation mode.
        data: the training digits, of which the first are used.
        seed: seed of the binarisation and the samples.
        device: the device of the network.
    """
    rng = keyed_rng(seed, Purpose.METRIC)
    indices = torch.arange(min(CALIBRATION_DIGITS, len(data)))
    images, labels = data.batch(indices, torch.device("cpu"))
    images = torch.bernoulli(images, generator=rng).to(device)
    one_hot = label_one_hot(labels.to(device), cvae)
    with torch.no_grad():
        mean, log_variance = cvae.encoder(images, one_hot)
        epsilon = torch.randn(mean.shape, generator=rng).to(device)
        logits = cvae.decoder.logits(reparametrise(mean, log_variance, epsilon), one_hot)
    factor, shift = (nn.Parameter(torch.tensor(start, device=device)) for start in PLAIN)
    optimizer = torch.optim.LBFGS([factor, shift], max_iter=50, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        nll = reconstruction_nll(factor * logits + shift, images).mean()
        nll.backward()  # type: ignore[no-untyped-call]
        return nll

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    return Observation(factor.item(), shift.item())


@torch.inference_mode()
def importance_weighted_log_likelihood(
    cvae: CVAE,
    data: LabelledImages,
    samples: int,
    seed: int,
    device: torch.device,
    observation: Observation = PLAIN,
) -> float:
    """A lower bound of log p(image | label), mean over `data`, in nats; tighter with more samples.

    Args:
        cvae: in evaluation mode.
        data: the digits.
        samples: k, samples of the posterior per image.
        seed: seed of the binarisation and the samples.
        device: the device of the network.
        observation: what logits mean.
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
        posterior = mean, log_variance
        weights = [
            _log_weight(cvae, images, one_hot, posterior, draw, observation) for draw in epsilon
        ]
        bound = torch.logsumexp(torch.stack(weights), dim=0) - math.log(samples)  # (B,)
        total += bound.sum().item()
    return total / len(data)


def _log_weight(
    cvae: CVAE,
    images: Tensor,
    one_hot: Tensor | None,
    posterior: tuple[Tensor, Tensor],
    epsilon: Tensor,
    observation: Observation,
) -> Tensor:
    """Log p(image|z, label) + log p(z) - log q(z|image, label) at one z per image: (B,) nats."""
    mean, log_variance = posterior
    latent = reparametrise(mean, log_variance, epsilon)
    logits = observation.factor * cvae.decoder.logits(latent, one_hot) + observation.shift
    log_ratio = 0.5 * (log_variance + epsilon.square() - latent.square()).sum(dim=1)
    return log_ratio - reconstruction_nll(logits, images)
