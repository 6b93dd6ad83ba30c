"""The CVAE of "Understanding CVAEs" (T. Roeder, 2018) as torch modules.

With `conditional=False` it is the VAE of Kingma & Welling, arXiv:1312.6114. Knows neither the
objective nor how the network is trained or stored.

Dimensions: B batch, H height, W width, S subpixels of a pixel, Z latent, K classes.
"""

import math
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from model.config import CVAEConfig


class CVAEOutput(NamedTuple):
    """The result of one forward pass."""

    logits: Tensor  # (B, H, W) float32; their sigmoid is the pixels in [0, 1]
    mean: Tensor  # (B, Z) float32, posterior mean
    log_variance: Tensor  # (B, Z) float32, natural logarithm of the posterior variance


def reparametrise(mean: Tensor, log_variance: Tensor, epsilon: Tensor) -> Tensor:
    """A sample of N(mean, exp(log_variance)), differentiable in both arguments.

    Args:
        mean: (B, Z) float32.
        log_variance: (B, Z) float32.
        epsilon: (B, Z) float32, drawn from N(0, I) by the caller.
    Returns:
        (B, Z) float32.
    Source: Kingma & Welling, arXiv:1312.6114, section 2.4.
    """
    return mean + epsilon * torch.exp(log_variance / 2)


def conditioned(features: Tensor, one_hot: Tensor | None, config: CVAEConfig) -> Tensor:
    """`features` with the one-hot label appended, or unchanged for an unconditional VAE.

    Args:
        features: (B, F) float32, flat pixels or latent.
        one_hot: (B, K) float32, or None for the unconditional VAE.
        config: says whether the model is conditional.
    Returns:
        (B, F + K) or (B, F) float32.
    Raises:
        ValueError: a label is missing, or was passed to an unconditional VAE.
    """
    if (one_hot is not None) != config.conditional:
        given = "none" if one_hot is None else f"a label of shape {tuple(one_hot.shape)}"
        wanted = f"a (B, {config.classes}) one-hot label" if config.conditional else "no label"
        raise ValueError(
            f"A model with conditional={config.conditional} takes {wanted}, but was given {given}."
        )
    return features if one_hot is None else torch.cat([features, one_hot], dim=1)


def dense_stack(sizes: tuple[int, ...]) -> nn.Sequential:
    """Linear layers of these widths, with a ReLU after each but the last."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def draw_weights(module: nn.Module, rng: torch.Generator) -> None:
    """Initialise all dense layers and convolutions of `module` from `rng`.

    Weights and biases are uniform in +-1/sqrt(inputs), as torch initialises them by default and as
    the article assumes. Doing it here makes the random generator an argument.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            bound = 1 / math.sqrt(layer.weight[0].numel())
            nn.init.uniform_(layer.weight, -bound, bound, generator=rng)
            if layer.bias is not None:
                nn.init.uniform_(layer.bias, -bound, bound, generator=rng)


class Encoder(nn.Module):
    """q(z|y, x): the distribution of the latent z given an image y and its label x."""

    def __init__(self, config: CVAEConfig) -> None:
        super().__init__()
        self.config = config
        self.layers = dense_stack(config.encoder_sizes)
        self.mean = nn.Linear(config.hidden[-1], config.latent)
        self.log_variance = nn.Linear(config.hidden[-1], config.latent)

    def forward(self, images: Tensor, one_hot: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the latent.

        Args:
            images: (B, H, W) float32 in [0, 1].
            one_hot: (B, K) float32, or None for the unconditional VAE.
        Returns:
            Two (B, Z) float32.
        """
        features = conditioned(images.flatten(1), one_hot, self.config)  # (B, H*W + K)
        features = torch.relu(self.layers(features))  # (B, hidden)
        return self.mean(features), self.log_variance(features)  # (B, Z), (B, Z)


class Decoder(nn.Module):
    """p(y|z, x): the pixels of an image y given a latent z and a label x."""

    def __init__(self, config: CVAEConfig) -> None:
        super().__init__()
        self.config = config
        self.layers = dense_stack(config.decoder_sizes)

    def subpixel_logits(self, latent: Tensor, one_hot: Tensor | None = None) -> Tensor:
        """The logits (B, S, H, W) float32 of the subpixels."""
        height, width = self.config.image_height, self.config.image_width
        return self.last_layer(latent, one_hot).reshape(-1, self.config.subpixels, height, width)

    def last_layer(self, latent: Tensor, one_hot: Tensor | None) -> Tensor:
        """The result of the last layer, (B, S*H*W) float32."""
        return torch.as_tensor(self.layers(conditioned(latent, one_hot, self.config)))

    def logits(self, latent: Tensor, one_hot: Tensor | None = None) -> Tensor:
        """The logits (B, H, W) float32 of the pixels, for a numerically stable likelihood.

        Their sigmoid is the pixels before they are stretched, see `pixels_of`.
        """
        return logit_of_mean(self.subpixel_logits(latent, one_hot))

    def forward(self, latent: Tensor, one_hot: Tensor | None = None) -> Tensor:
        """The pixels.

        Args:
            latent: (B, Z) float32, from N(0, I) for a new digit.
            one_hot: (B, K) float32, or None for the unconditional VAE.
        Returns:
            (B, H, W) float32 in [0, 1].
        """
        return pixels_of(self.subpixel_logits(latent, one_hot), self.config)


def logit_of_mean(logits: Tensor) -> Tensor:
    """The logits (B, H, W) of the mean of the sigmoids of logits (B, S, H, W)."""
    if logits.shape[1] == 1:
        return logits.squeeze(1)
    ink = torch.logsumexp(functional.logsigmoid(logits), dim=1)
    return ink - torch.logsumexp(functional.logsigmoid(-logits), dim=1)


def pixels_of(logits: Tensor, config: CVAEConfig) -> Tensor:
    """Pixels (B, H, W) in [0, 1] from logits (B, S, H, W) of their subpixels.

    The mean of the sigmoids is stretched and clipped. A sigmoid alone cannot reach 0 or 1, so its
    paper has a haze and its ink is never black.
    """
    pixels = torch.sigmoid(logits).mean(dim=1)
    if config.overshoot == 0:
        return pixels
    stretched = pixels * (1 + 2 * config.overshoot) - config.overshoot
    return stretched.clamp(0, 1)


class CVAE(nn.Module):
    """Encoder and decoder together."""

    def __init__(self, config: CVAEConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)

    def forward(
        self, images: Tensor, one_hot: Tensor | None = None, epsilon: Tensor | None = None
    ) -> CVAEOutput:
        """Encode, sample a latent, decode.

        Args:
            images: (B, H, W) float32 in [0, 1].
            one_hot: (B, K) float32, or None for the unconditional VAE.
            epsilon: (B, Z) float32 from N(0, I), with which the latent is sampled. Required in
                training mode. In evaluation mode, None means z = mean.
        Raises:
            ValueError: epsilon is missing in training mode.
        """
        mean, log_variance = self.encoder(images, one_hot)  # (B, Z), (B, Z)
        if epsilon is not None:
            latent = reparametrise(mean, log_variance, epsilon)  # (B, Z)
        elif self.training:
            raise ValueError(
                "A CVAE in training mode samples its latent and needs epsilon, a sample of "
                f"N(0, I) of shape {tuple(mean.shape)}; pass it, or call eval() to use z = mean."
            )
        else:
            latent = mean
        return CVAEOutput(self.decoder.logits(latent, one_hot), mean, log_variance)

    def initialise(self, rng: torch.Generator) -> None:
        """Initialise all weights from `rng`, see `draw_weights`."""
        draw_weights(self, rng)
