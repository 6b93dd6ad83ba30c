"""The judge: a classifier of digits that scores samples. It never steers training.

Its 64 features are those of the Frechet distance, precision and recall, because the usual Inception
network was trained on photographs. A judge trained on samples gives the CAS.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn
from torch.nn import functional

from model.atomic import replace_file
from model.cvae import draw_weights
from training.data import LabelledImages
from training.fitting import Cycle, fit
from training.randomness import Purpose, keyed_rng

FEATURES = 64
BATCH = 500  # images classified at once
MAX_SHIFT = 2  # pixels; training shifts the images at random


class JudgeRecipe(BaseModel):
    """The settings of training a judge; with the data they determine the result."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = 6
    least_steps: int = 0  # on few images there are more epochs
    batch_size: int = 128
    learning_rate: float = 3e-3  # maximum, of AdamW with a one-cycle schedule
    weight_decay: float = 0.05
    seed: int = 0


class Judge(nn.Module):
    """Three convolutions and two dense layers."""

    def __init__(self, classes: int = 10, side: int = 28) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 16, kernel_size=5, padding=2),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.MaxPool2d(2),  # 28 -> 14
            nn.Conv2d(16, 32, kernel_size=3, padding=1),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.Conv2d(32, 48, kernel_size=3, padding=1),
            nn.BatchNorm2d(48),
            nn.ReLU(),
            nn.MaxPool2d(2),  # 14 -> 7
            nn.Flatten(),
            nn.Linear(48 * (side // 4) ** 2, FEATURES),
            nn.ReLU(),
        )
        self.scores = nn.Linear(FEATURES, classes)

    def features(self, images: Tensor) -> Tensor:
        """Features (B, 64) float32, >= 0, of images (B, side, side) float32 in [0, 1]."""
        return torch.as_tensor(self.layers(images.unsqueeze(1)))

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, K) float32 of the labels of images (B, side, side) float32 in [0, 1]."""
        return torch.as_tensor(self.scores(self.features(images)))


@dataclass(frozen=True)
class Judgement:
    """The result of classifying N images."""

    features: Tensor  # (N, 64) float32, >= 0
    labels: Tensor  # (N,) int64, the most likely ones

    def agreement(self, labels: Tensor) -> float:
        """The share of images classified as `labels` (N,), in [0, 1]."""
        return (self.labels == labels).float().mean().item()


@torch.inference_mode()
def judge_images(judge: Judge, images: Tensor, device: torch.device) -> Judgement:
    """Classify images (N, side, side) uint8 grey levels."""
    features = [
        judge.features(part.to(device).float() / 255) for part in torch.split(images, BATCH)
    ]
    labels = [judge.scores(part).argmax(dim=1) for part in features]
    return Judgement(torch.cat(features).cpu(), torch.cat(labels).cpu())


def train_judge(data: LabelledImages, recipe: JudgeRecipe, device: torch.device) -> Judge:
    """A judge trained on `data`, in evaluation mode."""
    rng = keyed_rng(recipe.seed, Purpose.JUDGE)
    judge = _judge_for(data)
    draw_weights(judge, rng)
    judge.to(device)
    batches = -(-len(data) // recipe.batch_size)
    order: list[Tensor] = []

    def loss_of(step: int) -> Tensor:
        if step % batches == 0:
            order[:] = torch.split(torch.randperm(len(data), generator=rng), recipe.batch_size)
        images, labels = data.batch(order[step % batches], device)
        return functional.cross_entropy(judge(_shifted(images, rng)), labels)

    steps = max(recipe.epochs * batches, recipe.least_steps)
    fit("judge", judge, Cycle(steps, recipe.learning_rate, recipe.weight_decay), loss_of)
    return judge


def cached_judge(
    folder: Path, data: LabelledImages, recipe: JudgeRecipe, device: torch.device
) -> Judge:
    """The judge of `data` and `recipe`: read from `folder`, or trained and saved there."""
    path = folder / f"judge-{_key(data, recipe)}.safetensors"
    if not path.exists():
        judge = train_judge(data, recipe, device)
        replace_file(path, safetensors.torch.save(judge.state_dict()))
    judge = _judge_for(data)
    judge.load_state_dict(safetensors.torch.load_file(path))
    return judge.to(device).eval()


def _judge_for(data: LabelledImages) -> Judge:
    """An untrained judge of the labels and the size of `data`."""
    return Judge(int(data.labels.max()) + 1, data.images.shape[1])


def _key(data: LabelledImages, recipe: JudgeRecipe) -> str:
    """16 hex digits that identify the data and the settings of a judge."""
    digest = hashlib.sha256(recipe.model_dump_json().encode())
    digest.update(repr(_judge_for(data)).encode())
    for tensor in (data.images, data.labels):
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def _shifted(images: Tensor, rng: torch.Generator) -> Tensor:
    """The batch (B, H, W), all images shifted alike by up to 2 pixels, filled with paper."""
    down, right = torch.randint(-MAX_SHIFT, MAX_SHIFT + 1, (2,), generator=rng).tolist()
    padded = functional.pad(images, (MAX_SHIFT,) * 4)
    top, left = MAX_SHIFT + down, MAX_SHIFT + right
    return padded[:, top : top + images.shape[1], left : left + images.shape[2]]
