"""The guide: a classifier of digits that steers sharpening. It never scores, the judge does.

Another network than the judge's, with weights, steps and distortions of its own, so that what
pleases the guide alone does not please the judge.

Dimensions: B batch, C channels, H height, W width, K classes.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.sharp.batches import Lesson
from training.sharp.recipe import GuideSettings
from training.sharp.stage import Descent

HIDDEN = 128  # width of the last hidden layer
# The largest distortions while learning, about those between one writer and another.
TURN, GROWTH, LEAN, SHIFT = 0.2, 0.1, 0.15, 0.12  # radians, share, columns a row, half-pictures


class Guide(nn.Module):
    """Four convolutions and two dense layers, smooth throughout: its gradients teach."""

    def __init__(self, classes: int, width: int) -> None:
        super().__init__()
        self.channels = 3 * width
        self.layers = nn.Sequential(
            *_convolution(1, width, stride=2),  # 28 -> 14
            *_convolution(width, 2 * width, stride=1),
            *_convolution(2 * width, 2 * width, stride=2),  # 14 -> 7
            *_convolution(2 * width, self.channels, stride=1),
        )
        self.scores = nn.Sequential(
            nn.Flatten(),
            nn.Linear(self.channels * 49, HIDDEN),
            nn.SiLU(),
            nn.Linear(HIDDEN, classes),
        )

    def features(self, images: Tensor) -> Tensor:
        """What the guide sees in images (B, 28, 28) float32 in [0, 1]: (B, C, 7, 7) float32."""
        return torch.as_tensor(self.layers(images.unsqueeze(1) * 2 - 1))

    def forward(self, images: Tensor) -> Tensor:
        """Log-odds (B, K) float32 of the labels of images (B, 28, 28) float32 in [0, 1]."""
        return torch.as_tensor(self.scores(self.features(images)))


class GuideStage:
    """Trains the guide on distorted training digits, by cross-entropy."""

    name = "guide"

    def __init__(self, guide: Guide, lesson: Lesson, settings: GuideSettings) -> None:
        self.result = guide.train()
        self.steps = settings.steps
        self._lesson = lesson
        self._descent = Descent(
            guide, settings.learning_rate, settings.steps, settings.average, weight_decay=0.05
        )

    def step(self) -> dict[str, Tensor]:
        """See `Stage.step`."""
        images, one_hot = self._lesson.digits()
        scores = self.result(distorted(images, self._lesson.uniform(6)))
        loss = functional.cross_entropy(scores, one_hot)
        self._descent.descend(loss)
        return {"nats": loss}

    def finish(self) -> None:
        """See `Stage.finish`."""
        self._descent.finish()


def surprise(scores: Tensor, one_hot: Tensor) -> Tensor:
    """-log p(label | image) by the guide, (B,) float32 in nats, from its log-odds (B, K)."""
    return -(functional.log_softmax(scores, dim=1) * one_hot).sum(dim=1)


def doubt(scores: Tensor, one_hot: Tensor, enough: float) -> Tensor:
    """How far the guide is from sure enough of the label, a scalar in nats, mean over the batch.

    The surprise beyond that of a probability `enough`: a digit that is plain as it is feels no
    pull, so only those are moved that lie between two labels.

    Args:
        scores: (B, K) float32, the guide's log-odds.
        one_hot: (B, K) float32, the labels that were asked for.
        enough: the probability of the label from which there is no doubt, in (0, 1).
    """
    return functional.relu(surprise(scores, one_hot) + math.log(enough)).mean()


def distorted(images: Tensor, random: Tensor) -> Tensor:
    """Each of images (B, H, W) turned, scaled, slanted and shifted by random (B, 6) in [-1, 1]."""
    turn, lean = TURN * random[:, 0], LEAN * random[:, 1]
    wide, high = (1 + GROWTH * random[:, 2:4]).unbind(dim=1)
    right, down = (SHIFT * random[:, 4:6]).unbind(dim=1)
    maps = torch.stack(
        [
            torch.stack([wide * turn.cos(), wide * (lean - turn.sin()), right], dim=1),
            torch.stack([high * turn.sin(), high * turn.cos(), down], dim=1),
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
