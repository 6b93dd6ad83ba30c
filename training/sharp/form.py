"""Two statistics of form that drawn pictures must share with real ones.

People see both at once, and discriminators correct them late: a speck is one faint pixel of
hundreds, and whether the ink reaches the sides of the picture is a matter of few pixels. Only what
exceeds the real pictures' mean is a loss, so the data decides how much is right.

Dimensions: B batch, H height, W width.
"""

import torch
from torch import Tensor
from torch.nn import functional

PAPER = 16.5 / 255  # darkest paper; between two grey levels, so that rounding does not matter
INK = 0.55  # a little above half grey, so that a side that counts as ink stays so


def lone_ink(images: Tensor) -> Tensor:
    """The ink of pixels whose eight neighbours are all paper, summed over a picture.

    Args:
        images: (B, H, W) float32 in [0, 1].
    Returns:
        (B,) float32, how much those pixels exceed `PAPER`.
    """
    padded = functional.pad(images.unsqueeze(1), (1, 1, 1, 1))
    around = functional.unfold(padded, kernel_size=3)  # (B, 9, H * W)
    neighbours = torch.cat([around[:, :4], around[:, 5:]], dim=1).amax(dim=1)  # (B, H * W)
    ink = functional.relu(images.flatten(1) - PAPER)
    return (ink * (neighbours <= PAPER)).sum(dim=1)


def missing_reach(images: Tensor) -> Tensor:
    """What the ink lacks to touch two opposite sides of a picture, the nearer pair.

    Args:
        images: (B, H, W) float32 in [0, 1].
    Returns:
        (B,) float32 in [0, INK]: 0 where both sides have a pixel of at least `INK`.
    """
    top, bottom = images[:, 0].amax(dim=1), images[:, -1].amax(dim=1)
    left, right = images[:, :, 0].amax(dim=1), images[:, :, -1].amax(dim=1)
    reach = torch.maximum(torch.minimum(top, bottom), torch.minimum(left, right))
    return functional.relu(INK - reach)


def excess(drawn: Tensor, real: Tensor) -> Tensor:
    """By how much the mean of drawn pictures exceeds that of real ones, a scalar of at least 0."""
    return functional.relu(drawn.mean() - real.mean())
