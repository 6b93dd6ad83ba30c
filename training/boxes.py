"""Pictures as a network sees them: whole, or the box in which MNIST has its ink."""

import numpy as np
import torch

from model.box import crop, place
from model.config import CVAEConfig
from training.data import LabelledImages

SIDE, CANVAS = 20, 28  # pixels, of MNIST
SHARE = 0.99  # of the pictures that must be a box placed by MNIST's rule
CHUNK = 10_000  # pictures at once


def are_placed_boxes(data: LabelledImages) -> bool:
    """Whether these pictures are boxes of 20 x 20 pixels, placed in 28 x 28 as MNIST does.

    They are if at least 99 % come back exactly when they are cropped and placed again. Of MNIST's
    training images 99.94 % do.
    """
    if tuple(data.images.shape[1:]) != (CANVAS, CANVAS):
        return False
    same = [
        (place(crop(part, SIDE, SIDE), CANVAS) == part).all(axis=(1, 2))
        for part in np.split(data.images.numpy(), range(CHUNK, len(data), CHUNK))
    ]
    return bool(np.concatenate(same).mean() >= SHARE)


def as_network_sees(data: LabelledImages, config: CVAEConfig) -> LabelledImages:
    """The data with the pictures that a network of this configuration is trained on."""
    if config.canvas is None:
        return data
    boxes = crop(data.images.numpy(), config.image_height, config.image_width)
    return LabelledImages(torch.from_numpy(boxes), data.labels)
