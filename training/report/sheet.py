"""The pictures of a report: reconstructions, samples, interpolations and the plane, as sheets.

Dimensions: N images, H height, W width, Z latent.
"""

import io

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from model.cvae import CVAE
from training.data import LabelledImages
from training.evaluation.loss import label_one_hot
from training.evaluation.picture import decoded, interpolate, sheet
from training.randomness import Purpose, keyed_rng

COLUMNS = 12
ROWS = 10
PLANE_SIDE, PLANE_EDGE = 15, 0.98  # pictures a side of the plane; the share of the prior it covers
SCALE = 2


@torch.inference_mode()
def reconstructions(cvae: CVAE, data: LabelledImages, device: torch.device) -> bytes:
    """Test images, and below each its reconstruction from the posterior mean."""
    images, labels = data.batch(torch.arange(min(2 * COLUMNS, len(data))), device)
    one_hot = label_one_hot(labels, cvae)
    mean, _ = cvae.encoder(images, one_hot)
    redrawn = cvae.decoder(mean, one_hot)
    rows = [
        part
        for pair in zip(torch.split(images, COLUMNS), torch.split(redrawn, COLUMNS), strict=True)
        for part in pair
    ]
    return _png(sheet(torch.cat([_filled(row) for row in rows]), COLUMNS))


@torch.inference_mode()
def interpolations(cvae: CVAE, seed: int, device: torch.device) -> bytes:
    """A row for each of some labels, from one noise to another along the arc between them."""
    rng = keyed_rng(seed, Purpose.METRIC, 1)
    labels = torch.arange(ROWS) % cvae.config.classes
    ends = torch.randn(ROWS, 2, cvae.config.latent, generator=rng)
    places = torch.linspace(0, 1, COLUMNS)
    noise = torch.cat([interpolate(first, second, places) for first, second in ends])
    return _png(sheet(decoded(cvae, noise, labels.repeat_interleave(COLUMNS), device), COLUMNS))


@torch.inference_mode()
def plane(cvae: CVAE, device: torch.device) -> bytes:
    """The pictures of a two-dimensional latent: a square that holds 98 % of the prior each way.

    A conditional CVAE has a plane for each label; those of the first three are beside each other.
    """
    edges = torch.linspace((1 - PLANE_EDGE) / 2, (1 + PLANE_EDGE) / 2, PLANE_SIDE)
    values = torch.special.ndtri(edges)  # equal shares of the prior between two neighbours
    noise = torch.stack([values.repeat(PLANE_SIDE), -values.repeat_interleave(PLANE_SIDE)], dim=1)
    shown = min(3, cvae.config.classes) if cvae.config.conditional else 1
    sheets = [
        sheet(decoded(cvae, noise, torch.full((len(noise),), label), device), PLANE_SIDE)
        for label in range(shown)
    ]
    return _png(np.concatenate([np.pad(part, ((0, 0), (0, 4))) for part in sheets], axis=1))


def _filled(row: Tensor) -> Tensor:
    """A row of at most COLUMNS images, filled with empty ones."""
    missing = COLUMNS - len(row)
    return torch.cat([row, row.new_zeros(missing, *row.shape[1:])])


def _png(levels: NDArray[np.uint8]) -> bytes:
    image = Image.fromarray(levels)
    image = image.resize((image.width * SCALE, image.height * SCALE), Image.Resampling.NEAREST)
    file = io.BytesIO()
    image.save(file, format="PNG")
    return file.getvalue()
