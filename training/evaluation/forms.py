"""The form of drawn pictures, pixel by pixel: specks, frame and grey levels."""

import torch
from torch import Tensor
from torch.nn import functional

SPECK = 16  # a pixel above this grey level whose neighbours are all at most at it is a lone speck
INK = 127  # pixels above this grey level count for the frame
FRAME = 20  # pixels, the longer side of every digit of MNIST
# The first and the last grey level of each share of the histogram.
LEVELS = {
    "0": (0, 0),
    "1-8": (1, 8),
    "9-63": (9, 63),
    "64-191": (64, 191),
    "192-251": (192, 251),
    "252-255": (252, 255),
}


def speck_share(images: Tensor) -> float:
    """The share of images (N, H, W) uint8 that have a lone speck, in [0, 1]."""
    ink = (images > SPECK).float().unsqueeze(1)
    neighbours = functional.conv2d(ink, torch.ones(1, 1, 3, 3), padding=1) - ink
    return ((ink > 0) & (neighbours == 0)).flatten(1).any(dim=1).float().mean().item()


def frame_share(images: Tensor) -> float:
    """The share of images (N, H, W) uint8 whose ink is exactly 20 pixels high or wide, the longer.

    It is 0.986 for real pictures: some touch their frame with a pale pixel only.
    """
    ink = images > INK
    sides = torch.stack([_extent(ink.any(dim=2)), _extent(ink.any(dim=1))])
    return (sides.max(dim=0).values == FRAME).float().mean().item()


def grey_levels(images: Tensor) -> dict[str, float]:
    """The share of pixels in each range of grey levels; the shares sum to 1."""
    counts = torch.bincount(images.flatten().long(), minlength=256).double() / images.numel()
    return {name: counts[low : high + 1].sum().item() for name, (low, high) in LEVELS.items()}


def _extent(ink: Tensor) -> Tensor:
    """The distance from the first to the last row with ink, both counted: (N,) from (N, H)."""
    places = torch.arange(1, ink.shape[1] + 1)
    last = (ink * places).max(dim=1).values
    first = (ink * places.flip(0)).max(dim=1).values  # counted from the end
    return torch.where(ink.any(dim=1), last + first - ink.shape[1], 0)
