"""A small label-conditional discriminator: it tells real digits from drawn ones, to sharpen these.

Source: Miyato & Koyama, "cGANs with Projection Discriminator", arXiv:1802.05637, for the label;
Goodfellow et al., arXiv:1406.2661, for the non-saturating objective; Mescheder et al.,
arXiv:1801.04406, for the penalty on the gradient at real images. Dimensions: B batch, K classes.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

SLOPE = 0.2  # of the leaky ReLU


class Discriminator(nn.Module):
    """Three convolutions of stride 2, a dense layer, and a score projected on the label."""

    def __init__(self, classes: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, width, kernel_size=4, stride=2, padding=1),  # 28 -> 14
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(width, 2 * width, kernel_size=4, stride=2, padding=1),  # 14 -> 7
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(2 * width, 4 * width, kernel_size=3, stride=2, padding=1),  # 7 -> 4
            nn.LeakyReLU(SLOPE),
            nn.Flatten(),
            nn.Linear(4 * width * 16, 4 * width),
            nn.LeakyReLU(SLOPE),
        )
        self.score = nn.Linear(4 * width, 1)
        self.label = nn.Linear(classes, 4 * width, bias=False)

    def forward(self, images: Tensor, one_hot: Tensor) -> Tensor:
        """How real each image looks for its label.

        Args:
            images: (B, 28, 28) float32 in [0, 1].
            one_hot: (B, K) float32.
        Returns:
            (B,) float32, the log-odds of "real".
        """
        features = self.layers(images.unsqueeze(1) * 2 - 1)  # (B, 4 * width)
        projection = (self.label(one_hot) * features).sum(dim=1)  # (B,)
        return torch.as_tensor(self.score(features).squeeze(1) + projection)


def discriminator_loss(real: Tensor, drawn: Tensor) -> Tensor:
    """The discriminator's cross-entropy, a scalar in nats, from the scores (B,) of both kinds."""
    return functional.softplus(-real).mean() + functional.softplus(drawn).mean()


def generator_loss(drawn: Tensor) -> Tensor:
    """What the generator minimises, a scalar in nats, from the scores (B,) of its images."""
    return functional.softplus(-drawn).mean()


def gradient_penalty(score: Tensor, images: Tensor) -> Tensor:
    """Squared norm of d score / d image at real images, mean over the batch.

    Args:
        score: (B,) float32, of `images`.
        images: (B, H, W) float32 that require their gradient.
    """
    (gradient,) = torch.autograd.grad(score.sum(), images, create_graph=True)
    return gradient.square().sum(dim=(1, 2)).mean()
