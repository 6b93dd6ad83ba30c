"""The report of an evaluation as one picture, in five panels from top to bottom.

1. samples: column = label, each digit with its own noise
2. reconstructions: test digits above, their reconstructions below
3. interpolations: one label per row, from one noise to another
4. styles: one noise per row, drawn as each label
5. nearest neighbours: samples above, the nearest training image of each below
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
from training.evaluation.neighbour import nearest
from training.randomness import Purpose, keyed_rng

COLUMNS = 10
MARGIN = 4  # grey pixels between two panels
SCALE = 2


@torch.inference_mode()
def picture_report(
    cvae: CVAE, train: LabelledImages, test: LabelledImages, seed: int, device: torch.device
) -> bytes:
    """A PNG of all panels, for a conditional CVAE; of more than ten labels the first ten."""
    rng = keyed_rng(seed, Purpose.METRIC)
    labels = torch.arange(COLUMNS) % cvae.config.classes
    noise = torch.randn(5 * COLUMNS, cvae.config.latent, generator=rng)
    samples = decoded(cvae, noise, labels.repeat(5), device)
    panels = [
        samples,
        _reconstructions(cvae, test, device),
        _interpolations(cvae, noise[:COLUMNS], noise[COLUMNS : 2 * COLUMNS], device),
        decoded(cvae, noise[:5].repeat_interleave(COLUMNS, dim=0), labels.repeat(5), device),
        _neighbours(samples[:COLUMNS], train),
    ]
    sheets = [
        np.pad(sheet(panel, COLUMNS), ((0, MARGIN), (0, 0)), constant_values=96) for panel in panels
    ]
    picture = Image.fromarray(np.concatenate(sheets))
    picture = picture.resize(
        (picture.width * SCALE, picture.height * SCALE), Image.Resampling.NEAREST
    )
    file = io.BytesIO()
    picture.save(file, format="PNG")
    return file.getvalue()


def interpolate(first: Tensor, second: Tensor, places: Tensor) -> Tensor:
    """Noise between two others, along the arc between them: (P, Z) float32.

    On the arc it has the length of noise from N(0, I); on a straight line it would be shorter.

    Args:
        first: (Z,) float32.
        second: (Z,) float32.
        places: (P,) float32 in [0, 1].
    Source: Shoemake, "Animating Rotation with Quaternion Curves", SIGGRAPH 1985, section 3.3.
    """
    cosine = torch.dot(first / first.norm(), second / second.norm()).clamp(-1, 1)
    angle = torch.acos(cosine).clamp(min=1e-4)
    weights = torch.sin(torch.stack([1 - places, places]) * angle) / torch.sin(angle)  # (2, P)
    return weights.T @ torch.stack([first, second])


def decoded(cvae: CVAE, noise: Tensor, labels: Tensor, device: torch.device) -> Tensor:
    """Pixels (N, H, W) float32 on the CPU, of noise (N, Z) and labels (N,)."""
    one_hot = label_one_hot(labels.to(device), cvae)
    return torch.as_tensor(cvae.decoder(noise.to(device), one_hot)).cpu()


def _reconstructions(cvae: CVAE, test: LabelledImages, device: torch.device) -> Tensor:
    images, labels = test.batch(torch.arange(COLUMNS), device)
    mean, _ = cvae.encoder(images, label_one_hot(labels, cvae))
    return torch.cat([images.cpu(), decoded(cvae, mean, labels, device)])


def _interpolations(cvae: CVAE, first: Tensor, second: Tensor, device: torch.device) -> Tensor:
    places = torch.linspace(0, 1, COLUMNS)
    noise = [interpolate(one, other, places) for one, other in zip(first, second, strict=True)]
    labels = (torch.arange(COLUMNS) % cvae.config.classes).repeat_interleave(COLUMNS)
    return decoded(cvae, torch.cat(noise), labels, device)


def _neighbours(samples: Tensor, train: LabelledImages) -> Tensor:
    images = train.images.float() / 255
    _, index = nearest(samples.flatten(1), images.flatten(1))
    return torch.cat([samples, images[index]])


def sheet(images: Tensor, columns: int) -> NDArray[np.uint8]:
    """Grey levels (rows * H, columns * W) of pixels (rows * columns, H, W)."""
    count, height, width = images.shape
    grid = images.cpu().reshape(count // columns, columns, height, width).permute(0, 2, 1, 3)
    levels: NDArray[np.uint8] = (grid.reshape(-1, columns * width) * 255 + 0.5).byte().numpy()
    return levels
