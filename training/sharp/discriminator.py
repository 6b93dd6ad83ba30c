"""Small label-conditional discriminators, which distinguish real digits from drawn ones.

One sees the pictures, the other the guide's features of them. In the features, shapes between two
labels are conspicuous, and the distribution of real digits is learned in fewer steps.

Source: Miyato & Koyama, "cGANs with Projection Discriminator", arXiv:1802.05637, for the label;
Goodfellow et al., arXiv:1406.2661, for the non-saturating objective; Mescheder et al.,
arXiv:1801.04406, for the penalty on the gradient at real images; Sauer et al., "Projected GANs
Converge Faster", arXiv:2111.01007, for the features of a fixed network in place of pictures.
Dimensions: B batch, K classes.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

SLOPE = 0.2  # of the leaky ReLU


class Discriminator(nn.Module):
    """Layers that compute features, and a score of the features that depends on the label."""

    def __init__(self, layers: nn.Sequential, features: int, classes: int) -> None:
        super().__init__()
        self.layers = layers
        self.score = nn.Linear(features, 1)
        self.label = nn.Linear(classes, features, bias=False)

    def forward(self, inputs: Tensor, one_hot: Tensor) -> Tensor:
        """The score of each input: how real it looks for its label.

        Args:
            inputs: (B, ...) float32, pictures or features, as the layers take them.
            one_hot: (B, K) float32.
        Returns:
            (B,) float32, the log-odds of "real".
        """
        features = self.layers(inputs)  # (B, features)
        projection = (self.label(one_hot) * features).sum(dim=1)  # (B,)
        return torch.as_tensor(self.score(features).squeeze(1) + projection)


class PictureDiscriminator(Discriminator):
    """The discriminator of pictures: three convolutions with stride 2 and a dense layer."""

    def __init__(self, classes: int, width: int) -> None:
        layers = nn.Sequential(
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
        super().__init__(layers, 4 * width, classes)

    def forward(self, images: Tensor, one_hot: Tensor) -> Tensor:
        """See `Discriminator.forward`; images: (B, 28, 28) float32 in [0, 1]."""
        return super().forward(images.unsqueeze(1) * 2 - 1, one_hot)


class FeatureDiscriminator(Discriminator):
    """The discriminator of feature maps: two convolutions and two dense layers."""

    def __init__(self, channels: int, classes: int, width: int) -> None:
        layers = nn.Sequential(
            nn.Conv2d(channels, width, kernel_size=1),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(width, width, kernel_size=3, stride=2, padding=1),  # 7 -> 4
            nn.LeakyReLU(SLOPE),
            nn.Flatten(),
            nn.Linear(width * 16, 2 * width),
            nn.LeakyReLU(SLOPE),
            nn.Linear(2 * width, 2 * width),
            nn.LeakyReLU(SLOPE),
        )
        super().__init__(layers, 2 * width, classes)


def discriminator_loss(real: Tensor, drawn: Tensor) -> Tensor:
    """The loss of a discriminator, a scalar in nats, from the scores (B,) of both kinds."""
    return functional.softplus(-real).mean() + functional.softplus(drawn).mean()


def generator_loss(drawn: Tensor) -> Tensor:
    """The loss of the decoder, a scalar in nats, from the scores (B,) of its images."""
    return functional.softplus(-drawn).mean()


def gradient_penalty(score: Tensor, inputs: Tensor) -> Tensor:
    """The squared norm of d score / d inputs at real inputs, mean over the batch.

    Args:
        score: (B,) float32, of `inputs`.
        inputs: (B, ...) float32, which require a gradient.
    """
    (gradient,) = torch.autograd.grad(score.sum(), inputs, create_graph=True)
    return gradient.square().flatten(1).sum(dim=1).mean()
