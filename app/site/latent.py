"""The latent space for the page: where the encoder puts real digits, and what its directions do."""

import base64
import io
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.generator import Generator

# Real test digits of MNIST, with their labels as text.
DIGITS = Path(__file__).parent / "digits.png"
CELL = 28  # pixels
STEPS_PER_UNIT = 32  # of the means, kept as 8-bit integers
SHOWN = 2  # digits of each label that the page offers to encode
RIDGE = 1.0  # against directions that few digits have

Pictures = NDArray[np.uint8]


def latent_space(generator: Generator) -> bytes:
    """JSON with the labels and the posterior means of real digits, two directions, and examples.

    `means` is base64 of (N, Z) int8 in steps of 1/32; `directions` are unit vectors (Z,) named for
    what they change; `examples` are pictures as base64 of (28, 28) uint8 with their labels.
    """
    pictures, labels = read_digits()
    means = generator.style(pictures * np.float32(1 / 255), generator.one_hot(labels))
    steps = np.clip(np.rint(means * STEPS_PER_UNIT), -127, 127).astype(np.int8)
    slant, width = _shapes(pictures)
    across = _direction(means, slant, labels)
    down = _direction(means, width, labels)
    down = down - across * (across @ down)
    examples = [
        int(place)
        for label in np.unique(labels)
        for place in np.flatnonzero(labels == label)[:SHOWN]
    ]
    document = {
        "labels": "".join(map(str, labels.tolist())),
        "means": base64.b64encode(steps.tobytes()).decode(),
        "directions": {
            "slant": np.round(across, 4).tolist(),
            "width": np.round(down / np.linalg.norm(down), 4).tolist(),
        },
        "examples": [
            {
                "label": int(labels[place]),
                "levels": base64.b64encode(pictures[place].tobytes()).decode(),
            }
            for place in examples
        ],
    }
    return json.dumps(document).encode()


def encoder_inputs(generator: Generator) -> NDArray[np.float32]:
    """What the encoder is given of the bundled digits: (N, H * W + K), pixels and one-hot label."""
    pictures, labels = read_digits()
    pixels = generator.box(pictures * np.float32(1 / 255))
    return np.hstack([pixels.reshape(len(pixels), -1), generator.one_hot(labels)])


def read_digits() -> tuple[Pictures, NDArray[np.uint8]]:
    """The bundled digits (N, 28, 28), ink 255, and their labels (N,)."""
    from PIL import Image  # on first use: the service starts without it

    sheet = Image.open(io.BytesIO(DIGITS.read_bytes()))
    labels = np.frombuffer(sheet.info["labels"].encode(), np.uint8) - ord("0")
    levels = np.asarray(sheet.convert("L"))
    rows = levels.reshape(levels.shape[0] // CELL, CELL, -1, CELL).swapaxes(1, 2)
    return rows.reshape(-1, CELL, CELL)[: len(labels)], labels


def _shapes(pictures: Pictures) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Slant and width of digits (N,): their moments, with the height as the unit."""
    ink = pictures / pictures.sum(axis=(1, 2), keepdims=True)
    y, x = np.mgrid[:CELL, :CELL].astype(float)
    x_mean, y_mean = ((ink * place).sum(axis=(1, 2), keepdims=True) for place in (x, y))
    x_off, y_off = x - x_mean, y - y_mean
    high = (ink * y_off**2).sum(axis=(1, 2))
    slant = -(ink * x_off * y_off).sum(axis=(1, 2)) / high
    upright = x_off + slant[:, None, None] * y_off
    return slant, np.sqrt((ink * upright**2).sum(axis=(1, 2)) / high)


def _direction(
    means: NDArray[np.float32], shape: NDArray[np.float64], labels: NDArray[np.uint8]
) -> NDArray[np.float64]:
    """The unit vector (Z,) along which a shape changes most, the same for all labels."""
    inputs, outputs = means.astype(float), shape.copy()
    for label in np.unique(labels):
        chosen = labels == label
        inputs[chosen] -= inputs[chosen].mean(axis=0)
        outputs[chosen] -= outputs[chosen].mean()
    size = inputs.shape[1]
    found = np.linalg.solve(inputs.T @ inputs + RIDGE * np.eye(size), inputs.T @ outputs)
    unit: NDArray[np.float64] = found / np.linalg.norm(found)
    return unit
