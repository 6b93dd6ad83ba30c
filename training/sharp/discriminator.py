"""Small label-conditional discriminators, which distinguish real digits from drawn ones.

One sees the pictures, the other the guide's features of them. In the features, shapes between two
labels are conspicuous, and the distribution of real digits is learned in fewer steps.

Source: Miyato & Koyama, "cGANs with Projection Discriminator", arXiv:1802.05637, for the label;
Donahue et al., "Adversarial Feature Learning", arXiv:1605.09782, for pairs of picture and noise;
Huang et al., "The GAN is dead; long live the GAN!", arXiv:2501.05441, for the relativistic loss
with penalties on the gradient at real and at drawn images; Sauer et al., "Projected GANs Converge
Faster", arXiv:2111.01007, for the features of a fixed network instead of pictures.
Dimensions: B batch, Z noise, K classes.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from model.cvae import dense_stack

SLOPE = 0.2  # of the leaky ReLU


class Discriminator(nn.Module):
    """Layers that compute features, and a score of them that depends on label and noise.

    The noise of a real digit is what the teacher finds for it. A discriminator that knows the noise
    sees also where a hand is missing: what is drawn there differs from the real digits there. But
    the teacher's noises are not quite distributed as N(0, I), so pictures that fit their noises can
    still differ from real ones. Therefore only a share of the noises is shown, and 0 for the rest.
    """

    def __init__(self, layers: nn.Sequential, features: int, classes: int, latent: int) -> None:
        super().__init__()
        self.layers = layers
        self.score = nn.Linear(features, 1)
        self.condition = dense_stack((latent + classes, 2 * features, features))

    def forward(self, inputs: Tensor, noise: Tensor, one_hot: Tensor) -> Tensor:
        """The score of each input: how real it looks for its label and its noise.

        Args:
            inputs: (B, ...) float32, pictures or features, as the layers take them.
            noise: (B, Z) float32.
            one_hot: (B, K) float32.
        Returns:
            (B,) float32; the difference of two scores is the log-odds of which one is real.
        """
        features = self.layers(inputs)  # (B, features)
        condition = self.condition(torch.cat([noise, one_hot], dim=1))  # (B, features)
        scores = self.score(features).squeeze(1) + (condition * features).sum(dim=1)
        return torch.as_tensor(scores.float())


class PictureDiscriminator(Discriminator):
    """The discriminator of pictures: four convolutions, the first at full resolution.

    The first one sees single pixels, such as specks and haze.
    """

    def __init__(self, side: int, classes: int, latent: int, width: int) -> None:
        layers = nn.Sequential(
            nn.Conv2d(1, width, kernel_size=3, padding=1),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(width, 2 * width, kernel_size=4, stride=2, padding=1),  # 20 -> 10
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(2 * width, 4 * width, kernel_size=4, stride=2, padding=1),  # 10 -> 5
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(4 * width, 4 * width, kernel_size=3, padding=1),
            nn.LeakyReLU(SLOPE),
            nn.Flatten(),
            nn.Linear(4 * width * (side // 4) ** 2, 4 * width),
            nn.LeakyReLU(SLOPE),
        )
        super().__init__(layers, 4 * width, classes, latent)

    def forward(self, inputs: Tensor, noise: Tensor, one_hot: Tensor) -> Tensor:
        """See `Discriminator.forward`; inputs: images (B, H, W) float32 in [0, 1]."""
        images = inputs.unsqueeze(1).contiguous(memory_format=torch.channels_last)
        return super().forward(images * 2 - 1, noise, one_hot)


class FeatureDiscriminator(Discriminator):
    """The discriminator of feature maps: two convolutions and two dense layers."""

    def __init__(self, side: int, channels: int, classes: int, latent: int, width: int) -> None:
        layers = nn.Sequential(
            nn.Conv2d(channels, width, kernel_size=1),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(width, width, kernel_size=3, stride=2, padding=1),  # 5 -> 3
            nn.LeakyReLU(SLOPE),
            nn.Flatten(),
            nn.Linear(width * ((side // 4 + 1) // 2) ** 2, 2 * width),
            nn.LeakyReLU(SLOPE),
            nn.Linear(2 * width, 2 * width),
            nn.LeakyReLU(SLOPE),
        )
        super().__init__(layers, 2 * width, classes, latent)


def relativistic_loss(better: Tensor, worse: Tensor) -> Tensor:
    """The loss of telling which of two is better, a scalar in nats, from paired scores (B,).

    The discriminator wants real digits to be the better ones, the decoder the drawn ones. A guess
    costs ln 2.
    """
    return functional.softplus(worse - better).mean()


def gradient_penalty(score: Tensor, inputs: Tensor) -> Tensor:
    """The squared norm of d score / d inputs, mean over the batch.

    Args:
        score: (B,) float32, of `inputs`.
        inputs: (B, ...) float32, which require a gradient.
    """
    (gradient,) = torch.autograd.grad(score.sum(), inputs, create_graph=True)
    return gradient.square().flatten(1).sum(dim=1).mean()
