"""The CVAE of "Understanding CVAEs" (T. Roeder, 2018) as torch modules: encoder, decoder, both.

Its first half, the unconditional VAE (Kingma & Welling, arXiv:1312.6114), is the same class
with `conditional=False`. Knows neither its objective nor how it is trained or stored.

Dimensions: B batch, H height, W width, Z latent, K classes.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from model.config import CVAEConfig


class CVAEOutput(NamedTuple):
    """What one pass through the CVAE yields."""

    logits: Tensor  # (B, H, W) float32, sigmoid gives pixels in [0, 1]
    mean: Tensor  # (B, Z) float32, posterior mean
    log_variance: Tensor  # (B, Z) float32, natural logarithm of the posterior variance


def reparametrise(mean: Tensor, log_variance: Tensor, epsilon: Tensor) -> Tensor:
    """A sample of N(mean, exp(log_variance)), differentiable in both.

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
    """`features` with the one-hot label concatenated, or alone where the model has no label.

    Args:
        features: (B, F) float32, flat pixels or latent.
        one_hot: (B, K) float32, or None for the unconditional VAE.
        config: says whether there is a label, and of how many classes.
    Returns:
        (B, F + K) or (B, F) float32.
    Raises:
        ValueError: a label is missing, or given to a model without labels.
    """
    if (one_hot is not None) != config.conditional:
        given = "none was given" if one_hot is None else f"one of {tuple(one_hot.shape)} was given"
        wanted = f"(B, {config.classes}) one-hot label" if config.conditional else "no label"
        raise ValueError(
            f"The model with conditional={config.conditional} takes {wanted}, but {given}."
        )
    return features if one_hot is None else torch.cat([features, one_hot], dim=1)


def dense_stack(sizes: tuple[int, ...]) -> nn.Sequential:
    """Linear layers from width to width with a ReLU between two of them, none after the last."""
    layers: list[nn.Module] = []
    for inputs, outputs in zip(sizes, sizes[1:], strict=False):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def draw_weights(module: nn.Module, generator: torch.Generator) -> None:
    """Draw all weights of `module` anew from `generator`, by the rule of torch's own layers.

    Weights and biases of dense layers and convolutions are uniform in +-1/sqrt(inputs): the
    article relies on these defaults; doing it here keeps the randomness an argument.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            bound = 1 / math.sqrt(layer.weight[0].numel())
            nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
            if layer.bias is not None:
                nn.init.uniform_(layer.bias, -bound, bound, generator=generator)


class Encoder(nn.Module):
    """q(z|y, x): the posterior of the latent given an image and its label."""

    def __init__(self, config: CVAEConfig) -> None:
        super().__init__()
        self.config = config
        self.layers = dense_stack(config.encoder_sizes)
        self.mean = nn.Linear(config.hidden[-1], config.latent)
        self.log_variance = nn.Linear(config.hidden[-1], config.latent)

    def forward(self, images: Tensor, one_hot: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the posterior.

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
    """p(y|z, x): the pixels of an image given a latent and a label."""

    def __init__(self, config: CVAEConfig) -> None:
        super().__init__()
        self.config = config
        self.layers = dense_stack(config.decoder_sizes)

    def logits(self, latent: Tensor, one_hot: Tensor | None = None) -> Tensor:
        """The pixels before the sigmoid, for a numerically safe likelihood: (B, H, W) float32."""
        pixels: Tensor = self.layers(conditioned(latent, one_hot, self.config))  # (B, H*W)
        return pixels.reshape(-1, self.config.image_height, self.config.image_width)

    def forward(self, latent: Tensor, one_hot: Tensor | None = None) -> Tensor:
        """The pixels.

        Args:
            latent: (B, Z) float32, from N(0, I) to draw a new digit.
            one_hot: (B, K) float32, or None for the unconditional VAE.
        Returns:
            (B, H, W) float32 in [0, 1].
        """
        return torch.sigmoid(self.logits(latent, one_hot))


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
        """Encode, take a latent, decode.

        Args:
            images: (B, H, W) float32 in [0, 1].
            one_hot: (B, K) float32, or None for the unconditional VAE.
            epsilon: (B, Z) float32 from N(0, I): the latent is a reparametrised sample of the
                posterior. Required in training mode. In evaluation mode None takes z = mean.
        Raises:
            ValueError: epsilon is missing in training mode.
        """
        mean, log_variance = self.encoder(images, one_hot)  # (B, Z), (B, Z)
        if epsilon is not None:
            latent = reparametrise(mean, log_variance, epsilon)  # (B, Z)
        elif self.training:
            raise ValueError(
                "The CVAE in training mode samples its latent and needs epsilon, a draw of "
                f"N(0, I) of shape {tuple(mean.shape)}; pass it, or call eval() to take z = mean."
            )
        else:
            latent = mean
        return CVAEOutput(self.decoder.logits(latent, one_hot), mean, log_variance)

    def initialise(self, generator: torch.Generator) -> None:
        """Draw all weights anew from `generator`, see `draw_weights`."""
        draw_weights(self, generator)
