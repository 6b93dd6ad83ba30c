"""MNIST in memory, read by torchvision."""

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torchvision.datasets import MNIST

SIDE, CLASSES = 28, 10
IDX_BYTES = 0x800  # of a file of unsigned bytes, plus the number of its dimensions


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
    _check_files(data_dir, train)
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


def _check_files(data_dir: Path, train: bool) -> None:
    """Check the files that are there, which torchvision reads as they are.

    Raises:
        DataError: a file is damaged, or is another one.
    """
    raw, part = data_dir / "MNIST" / "raw", "train" if train else "t10k"
    for name, dimensions in ((f"{part}-images-idx3-ubyte", 3), (f"{part}-labels-idx1-ubyte", 1)):
        path = raw / name
        if path.exists() and (found := _fault(path, dimensions)):
            expected = (
                f"images of {SIDE} x {SIDE} bytes" if dimensions > 1 else "labels from 0 to 9"
            )
            raise DataError(
                f"The MNIST file {path} cannot be used: found {found}, expected the {expected} of "
                "the original; remove it and run the command again, which downloads it, or pass "
                "--data-dir with another folder."
            )


def _fault(path: Path, dimensions: int) -> str | None:
    """What is wrong with a file in the IDX format of MNIST; None if nothing is."""
    if not path.is_file():
        return "something else than a file"
    with path.open("rb") as file:
        head = file.read(4 + 4 * dimensions)
        parts = range(0, len(head), 4)
        magic, *sizes = [int.from_bytes(head[part : part + 4], "big") for part in parts] or [0]
        if len(head) < 4 + 4 * dimensions or magic != IDX_BYTES + dimensions:
            return f"a file that begins with {head[:4].hex() or 'nothing'}"
        if sizes[1:] not in ([], [SIDE, SIDE]):
            return f"images of {sizes[1]} x {sizes[2]}"
        wanted = math.prod(sizes)
        size = path.stat().st_size - len(head)
        if size != wanted or size == 0:
            return f"{size} bytes of data, where its head announces {wanted}"
        if dimensions == 1 and (highest := max(file.read())) >= CLASSES:
            return f"the label {highest}"
    return None


def _short(error: Exception) -> str:
    """The type and the first line of an error."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
