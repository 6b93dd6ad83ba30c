"""What training gets: labelled images, and a data set of two parts with its names and origin."""

from dataclasses import dataclass

import torch
from torch import Tensor


class DataError(Exception):
    """The data set is missing or cannot be used; the message is one full sentence."""


@dataclass(frozen=True)
class LabelledImages:
    """Images with their labels, on the CPU."""

    images: Tensor  # (N, H, W) uint8 grey levels, ink 255 on 0
    labels: Tensor  # (N,) int64 in 0 .. K - 1

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, indices: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
        """The images (B, H, W) float32 in [0, 1] and labels (B,) int64 at `indices`."""
        images = self.images[indices].to(device).float().div_(255)
        return images, self.labels[indices].to(device)


@dataclass(frozen=True)
class DataSet:
    """A data set of any origin, ready to train on."""

    name: str  # as the model card calls it, such as "MNIST"
    subject: str  # what a model of it draws, such as "handwritten digits"
    about: str  # where the pictures are from, and what a model of them cannot do; Markdown
    label_names: tuple[str, ...]  # one for each label 0 .. K - 1, unique, none empty
    train: LabelledImages
    test: LabelledImages
    facts: str = ""  # how the pictures were found: layout, sizes, polarity, split
    notes: tuple[str, ...] = ()  # what a user should know, each a full sentence

    @property
    def classes(self) -> int:
        """K, the number of labels."""
        return len(self.label_names)

    @property
    def size(self) -> int:
        """H and W, which are equal, in pixels."""
        return int(self.train.images.shape[1])
