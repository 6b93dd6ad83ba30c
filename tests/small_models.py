"""Small models of the article, trained for a second or two: letters, words, 8 x 8, no labels."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from model.checkpoint import CARD, METRICS, SAMPLES, Checkpoint, Provenance
from model.config import CVAEConfig
from model.cvae import CVAE
from model.export import save_cvae
from model.objective import negative_elbo
from tests.mnist import read_mnist

Pictures = NDArray[np.float32]  # (N, H, W) in [0, 1], ink 1
LETTERS = tuple("abcdefghijklmnopqrstuvwxyz")
WORDS = ("Round/ring", "Bar, upright", "Box")
COPIES = 40  # pictures of each label
STEPS, BATCH, LEARNING_RATE = 300, 64, 3e-3


def letters(rng: np.random.Generator) -> tuple[Pictures, list[int]]:
    """Letters in Pillow's own font, each moved and of another size: (N, 28, 20)."""
    pictures, labels = [], []
    for label, letter in enumerate(LETTERS):
        for _ in range(COPIES):
            picture = Image.new("L", (20, 28))
            font = ImageFont.load_default(float(rng.uniform(17, 21)))
            place = 10 + rng.uniform(-1, 1), 19 + rng.uniform(-1, 1)
            ImageDraw.Draw(picture).text(place, letter, fill=255, font=font, anchor="ms")
            pictures.append(np.asarray(picture, np.float32) / 255)
            labels.append(label)
    return np.stack(pictures), labels


def things(rng: np.random.Generator) -> tuple[Pictures, list[int]]:
    """Rings, bars and boxes: (N, 32, 32)."""
    pictures, labels = [], []
    for label in range(len(WORDS)):
        for _ in range(2 * COPIES):
            picture = Image.new("L", (32, 32))
            pen = ImageDraw.Draw(picture)
            low, high = rng.uniform(4, 8), rng.uniform(24, 28)
            if label == 0:
                pen.ellipse((low, low, high, high), outline=255, width=4)
            elif label == 1:
                pen.line((16, low, 16, high), fill=255, width=6)
            else:
                pen.rectangle((low, low, high, high), fill=255)
            pictures.append(np.asarray(picture, np.float32) / 255)
            labels.append(label)
    return np.stack(pictures), labels


def eights() -> tuple[Pictures, list[int]]:
    """Digits of MNIST, made small: (N, 8, 8)."""
    images, labels = read_mnist(train=True)
    small = [Image.fromarray(image).resize((8, 8), Image.Resampling.BOX) for image in images]
    return np.stack([np.asarray(picture, np.float32) / 255 for picture in small]), labels.tolist()


def train(
    folder: Path,
    pictures: Pictures,
    labels: Iterable[int],
    names: Sequence[str],
    conditional: bool = True,
    latent: int = 8,
) -> Checkpoint:
    """Train a small model, and write its checkpoint."""
    config = CVAEConfig(
        image_height=pictures.shape[1],
        image_width=pictures.shape[2],
        classes=len(names),
        hidden=(128,),
        latent=latent,
        conditional=conditional,
    )
    rng = torch.Generator().manual_seed(0)
    cvae = CVAE(config)
    cvae.initialise(rng)
    optimizer = torch.optim.Adam(cvae.parameters(), LEARNING_RATE)
    images = torch.from_numpy(pictures)
    one_hot = torch.eye(len(names))[torch.tensor(list(labels))]
    for _ in range(STEPS):
        chosen = torch.randint(len(images), (BATCH,), generator=rng)
        epsilon = torch.randn(BATCH, latent, generator=rng)
        output = cvae(images[chosen], one_hot[chosen] if conditional else None, epsilon)
        loss = negative_elbo(output, images[chosen]).total.mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    documents = {METRICS: b"{}", SAMPLES: b"none", CARD: b"A small model of the tests.\n"}
    return save_cvae(folder, cvae, _provenance(len(images)), documents, names)


def _provenance(count: int) -> Provenance:
    return Provenance(
        data_set="pictures of the tests",
        train_images=count,
        test_images=0,
        seed=0,
        epochs=1,
        batch_size=BATCH,
        optimizer="Adam",
        learning_rate=LEARNING_RATE,
        objective="negative ELBO",
        versions={},
    )
