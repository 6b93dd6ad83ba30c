"""The guide: a classifier of digits that steers sharpening. It never scores; the judge does.

Its network, training steps and distortions differ from the judge's, so that images that exploit
the guide do not exploit the judge.

Dimensions: B batch, C channels, H height, W width, K classes.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.sharp.batches import Batches
from training.sharp.recipe import GuideSettings
from training.sharp.stage import EMAOptimizer

HIDDEN = 128  # width of the last hidden layer
# The largest distortions in training, about the differences between writers.
MAX_ROTATION = 0.2  # radians
MAX_SCALING = 0.1  # share
MAX_SHEAR = 0.15  # columns per row
MAX_SHIFT = 0.12  # half widths of the picture


class Guide(nn.Module):
    """Four convolutions and two dense layers, all smooth, because others train on its gradients."""

    def __init__(self, side: int, classes: int, width: int) -> None:
        super().__init__()
        self.channels = 3 * width
        self.layers = nn.Sequential(
            *_convolution(1, width, stride=2),  # 20 -> 10
            *_convolution(width, 2 * width, stride=1),
            *_convolution(2 * width, 2 * width, stride=2),  # 10 -> 5
            *_convolution(2 * width, self.channels, stride=1),
        )
        self.scores = nn.Sequential(
            nn.Flatten(),
            nn.Linear(self.channels * (side // 4) ** 2, HIDDEN),
            nn.SiLU(),
            nn.Linear(HIDDEN, classes),
        )

    def features(self, images: Tensor) -> Tensor:
        """Feature maps (B, C, H/4, W/4) float32 of images (B, H, W) float32 in [0, 1]."""
        inputs = images.unsqueeze(1).contiguous(memory_format=torch.channels_last)
        return torch.as_tensor(self.layers(inputs * 2 - 1))

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, K) float32 of the labels of images (B, H, W) float32 in [0, 1]."""
        return torch.as_tensor(self.scores(self.features(images)))


class GuideStage:
    """Trains the guide on distorted training digits."""

    name = "guide"

    def __init__(self, guide: Guide, batches: Batches, settings: GuideSettings) -> None:
        self.result = guide.train()
        self.steps = settings.steps
        self._batches = batches
        self._optimizer = EMAOptimizer(guide, settings.cycle(weight_decay=0.05), settings.average)

    def step(self) -> dict[str, Tensor]:
        """See `Stage.step`."""
        images, one_hot = self._batches.digits()
        scores = self.result(distort(images, self._batches.uniform(6)))
        loss = functional.cross_entropy(scores, one_hot)
        self._optimizer.step(loss)
        return {"nats": loss}

    def finish(self) -> None:
        """See `Stage.finish`."""
        self._optimizer.finish()


def cross_entropy(scores: Tensor, one_hot: Tensor) -> Tensor:
    """-log p(label | image) by the guide, (B,) float32 in nats, from its logits (B, K)."""
    return -(functional.log_softmax(scores, dim=1) * one_hot).sum(dim=1)


def guide_loss(scores: Tensor, one_hot: Tensor, confidence_threshold: float) -> Tensor:
    """The cross-entropy above that of the threshold, a scalar in nats, mean over the batch.

    A digit that the guide recognises with this confidence has no gradient, so only ambiguous
    digits change.

    Args:
        scores: (B, K) float32, the guide's logits.
        one_hot: (B, K) float32, the labels that the digits were drawn for.
        confidence_threshold: the probability of the label from which the loss is 0, in (0, 1).
    """
    excess = cross_entropy(scores, one_hot) + math.log(confidence_threshold)
    return functional.relu(excess).mean()


def distort(images: Tensor, random: Tensor) -> Tensor:
    """Images (B, H, W) rotated, sheared, scaled and shifted by random (B, 6) in [-1, 1]."""
    angle, shear = MAX_ROTATION * random[:, 0], MAX_SHEAR * random[:, 1]
    wide, high = (1 + MAX_SCALING * random[:, 2:4]).unbind(dim=1)
    right, down = (MAX_SHIFT * random[:, 4:6]).unbind(dim=1)
    maps = torch.stack(
        [
            torch.stack([wide * angle.cos(), wide * (shear - angle.sin()), right], dim=1),
            torch.stack([high * angle.sin(), high * angle.cos(), down], dim=1),
        ],
        dim=1,
    )  # (B, 2, 3)
    grid = functional.affine_grid(maps, [len(images), 1, *images.shape[1:]], align_corners=False)
    return functional.grid_sample(images.unsqueeze(1), grid, align_corners=False).squeeze(1)


def _convolution(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, kernel_size=3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.SiLU(),
    ]
