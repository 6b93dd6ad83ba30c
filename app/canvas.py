"""Digit pictures to one sheet. Knows neither the model nor any file format."""

import numpy as np
from numpy.typing import NDArray


def stitch(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pictures (N, H, W) uint8 side by side: (H, N * W) uint8."""
    count, height, width = pictures.shape
    return pictures.transpose(1, 0, 2).reshape(height, count * width)
