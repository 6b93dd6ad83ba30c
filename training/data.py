"""MNIST in memory, read by torchvision."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torchvision.datasets import MNIST


class DataError(Exception):
    """The data set is missing or damaged; the message is one full sentence."""


@dataclass(frozen=True)
class LabelledImages:
    """Images with their labels, on the CPU."""

    images: Tensor  # (N, H, W) uint8 grey levels, ink 255 on 0
    labels: Tensor  # (N,) int64 in 0 .. 9

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, indices: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
        """The images (B, H, W) float32 in [0, 1] and labels (B,) int64 at `indices`."""
        images = self.images[indices].to(device).float().div_(255)
        return images, self.labels[indices].to(device)


def load_mnist(data_dir: Path, train: bool) -> LabelledImages:
    """The training or test images in `data_dir`/MNIST/raw, downloaded if they are missing.

    Raises:
        DataError: the images can be neither read nor downloaded.
    """
    try:
        data = MNIST(str(data_dir), train=train, download=True)
    except Exception as error:  # of network, disk or format, without a common base
        raise DataError(
            f"MNIST could be neither read from {data_dir / 'MNIST' / 'raw'} nor downloaded into it "
            f"({_short(error)}); pass --data-dir with a folder that contains the four files "
            "MNIST/raw/*-ubyte, or connect to the network and run the command again."
        ) from error
    if len(data.data) != len(data.targets) or len(data.data) == 0:
        raise DataError(
            f"MNIST in {data_dir} is damaged: found {len(data.data)} images and "
            f"{len(data.targets)} labels, expected the same number of both; "
            "remove the folder and run the command again to download it."
        )
    return LabelledImages(images=data.data, labels=data.targets)


def _short(error: Exception) -> str:
    """The type and the first line of an error."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
