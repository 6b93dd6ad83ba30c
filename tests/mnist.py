"""The slice of real MNIST in tests/data, read without torch."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RAW = Path(__file__).parent / "data" / "MNIST" / "raw"
IMAGES_HEADER, LABELS_HEADER = 16, 8  # bytes before the values of an IDX file


def read_mnist(train: bool) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The images (N, 28, 28), ink 255 on 0, and their labels (N,); N is 1,000 or 200."""
    name = "train" if train else "t10k"
    images = np.fromfile(RAW / f"{name}-images-idx3-ubyte", np.uint8, offset=IMAGES_HEADER)
    labels = np.fromfile(RAW / f"{name}-labels-idx1-ubyte", np.uint8, offset=LABELS_HEADER)
    return images.reshape(-1, 28, 28), labels
