"""The classifier: which label a cut-out digit has, or that it is not a digit."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from model.cvae import draw_weights
from model.reading.reader import LABELS
from training.fitting import fit
from training.photos.cutouts import NO_DIGIT, Cutouts
from training.photos.examples import FAINT
from training.photos.recipe import Steps
from training.randomness import Purpose, keyed_rng

CLASSES = LABELS + 1
MNIST_SHARE, CUT_SHARE = 0.45, 0.35  # of a batch; the rest is not a digit
TURN, SHEAR, SCALE, SHIFT = 0.15, 0.15, 0.12, 0.07  # radians, slope, share, halves of the picture
BENT, BENDS = 0.04, 5  # halves of the picture that points move; as many points each way
FAR, FURTHER = 0.15, 3  # share of digits that are turned so many times further
WORN = 0.15  # share of a batch with a broad pen, and of that in few pixels
FEW = 10, 20  # pixels for the 28 of a digit: from, and below


class Classifier(nn.Module):
    """Digits (B, 28, 28) float32 in [0, 1] to logits (B, 11)."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *_convolution(1, 16, 5),
            nn.MaxPool2d(2),  # 28 -> 14
            *_convolution(16, 32, 3),
            *_convolution(32, 40, 3),
            nn.MaxPool2d(2),  # 14 -> 7
            *_convolution(40, 48, 3),
            *_convolution(48, 48, 3),
            nn.MaxPool2d(2),  # 7 -> 3
            nn.Flatten(),
            nn.Dropout(0.2),
        )
        self.scores = nn.Linear(48 * 9, CLASSES)

    def forward(self, digits: Tensor) -> Tensor:
        """See the class."""
        logits: Tensor = self.scores(self.layers(digits.unsqueeze(1)))
        return logits


def _convolution(before: int, after: int, side: int) -> list[nn.Module]:
    return [
        nn.Conv2d(before, after, side, padding=side // 2, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
    ]


class Sources(NamedTuple):
    """What a batch is drawn from: images (N, 28, 28) uint8 with their labels (N,)."""

    mnist: tuple[Tensor, Tensor]
    cut: tuple[Tensor, Tensor]
    other: tuple[Tensor, Tensor]

    def batch(self, size: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Digits (B, 28, 28) float32 in [0, 1], distorted, and their labels (B,)."""
        counts = round(MNIST_SHARE * size), round(CUT_SHARE * size)
        parts = [
            (images[chosen], labels[chosen])
            for (images, labels), count in zip(self, (*counts, size - sum(counts)), strict=True)
            for chosen in (torch.randint(len(labels), (count,), generator=rng),)
        ]
        digits = torch.cat([images for images, _ in parts]).float() / 255
        return _distorted(digits, rng), torch.cat([labels for _, labels in parts])


def _distorted(digits: Tensor, rng: torch.Generator) -> Tensor:
    """Each digit turned, slanted, scaled, shifted and bent a little; some broad or coarse."""
    turn, shear, wide, high, right, down = torch.randn(6, len(digits), generator=rng)
    turn = turn * (1 + (FURTHER - 1) * (torch.rand(len(digits), generator=rng) < FAR))
    cos, sin = torch.cos(TURN * turn), torch.sin(TURN * turn)
    wide, high = 1 + SCALE * wide, 1 + SCALE * high
    rows = torch.stack([cos * wide, -sin + SHEAR * shear, SHIFT * right], dim=1)
    columns = torch.stack([sin, cos * high, SHIFT * down], dim=1)
    grid = functional.affine_grid(
        torch.stack([rows, columns], dim=1), [len(digits), 1, 28, 28], align_corners=False
    )
    bends = BENT * torch.randn((len(digits), 2, BENDS, BENDS), generator=rng)
    bends = functional.interpolate(bends, 28, mode="bicubic")
    grid = grid + bends.permute(0, 2, 3, 1)
    moved = functional.grid_sample(digits[:, None], grid, align_corners=False)
    order = torch.randperm(len(digits), generator=rng)
    broad, coarse = torch.split(order, max(1, round(WORN * len(digits))))[:2]
    moved[broad] = functional.max_pool2d(moved[broad], 3, 1, 1)
    few = functional.interpolate(
        moved[coarse], int(torch.randint(*FEW, (), generator=rng)), mode="area"
    )
    large = functional.interpolate(few, 28, mode="bicubic").clamp(0, 1)
    moved[coarse] = large / large.amax((1, 2, 3), keepdim=True).clamp(min=FAINT)
    return moved[:, 0]


def train_classifier(
    images: Tensor, labels: Tensor, cutouts: Cutouts, steps: Steps, seed: int
) -> Classifier:
    """A classifier in evaluation mode, trained on MNIST (N, 28, 28) uint8 and on cut-outs."""
    rng = keyed_rng(seed, Purpose.CLASSIFIER)
    cut, names = torch.from_numpy(cutouts.digits), torch.from_numpy(cutouts.labels).long()
    other = names == NO_DIGIT
    sources = Sources((images, labels), (cut[~other], names[~other]), (cut[other], names[other]))
    classifier = Classifier()
    draw_weights(classifier, rng)
    classifier.to(memory_format=torch.channels_last)
    torch.manual_seed(int(torch.randint(2**31, (), generator=rng)))  # of the dropout

    def loss_of(_: int) -> Tensor:
        digits, wanted = sources.batch(steps.batch, rng)
        with torch.autocast("cpu", torch.bfloat16):
            logits = classifier(digits).float()
        return functional.cross_entropy(logits, wanted)

    fit("classifier", classifier, steps.cycle, loss_of)
    return classifier


@torch.inference_mode()
def logits_of(classifier: Classifier, digits: NDArray[np.uint8]) -> Tensor:
    """The logits (N, 11) of digits (N, 28, 28)."""
    parts = torch.split(torch.from_numpy(digits), 500)
    return torch.cat([classifier(part.float() / 255) for part in parts])


def calibrate(classifier: Classifier, held_out: Cutouts) -> float:
    """Divide the logits by the temperature that makes held-out labels most likely; return it.

    Source: Guo et al., "On Calibration of Modern Neural Networks", arXiv:1706.04599.
    """
    logits, labels = logits_of(classifier, held_out.digits), torch.from_numpy(held_out.labels)
    temperatures = torch.linspace(0.3, 3, 271)
    losses = [functional.cross_entropy(logits / t, labels.long()).item() for t in temperatures]
    temperature = float(temperatures[int(np.argmin(losses))])
    with torch.no_grad():
        for part in classifier.scores.parameters():
            part.div_(temperature)
    return temperature
