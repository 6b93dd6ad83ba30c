"""What a run shows to people: the sheet of samples and the model card."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from PIL import Image

from model.config import CVAEConfig
from model.cvae import CVAE
from model.noise import latents

SHEET_ROWS = 10


@torch.inference_mode()
def sample_sheet(cvae: CVAE, seed: int, device: torch.device) -> bytes:
    """A PNG of samples, 10 rows by K columns, column = label; every digit has its own noise.

    The same digits as `/generate` draws for "0123456789" with this seed and 10 rows. The
    unconditional VAE has no columns: any digit may come up anywhere.
    """
    config = cvae.config
    noise = np.concatenate(
        [latents(seed, row, config.classes, config.latent) for row in range(SHEET_ROWS)]
    )
    one_hot = torch.eye(config.classes).repeat(SHEET_ROWS, 1) if config.conditional else None
    pixels = cvae.decoder(
        torch.from_numpy(noise).to(device), None if one_hot is None else one_hot.to(device)
    )
    levels = (pixels * 255 + 0.5).to(torch.uint8).cpu().numpy()  # (rows * K, H, W)
    grid = levels.reshape(SHEET_ROWS, config.classes, config.image_height, config.image_width)
    sheet = grid.transpose(0, 2, 1, 3).reshape(SHEET_ROWS * config.image_height, -1)
    file = io.BytesIO()
    Image.fromarray(sheet).save(file, format="PNG")
    return file.getvalue()


def model_card(config: CVAEConfig, metrics: Mapping[str, Any]) -> str:
    """The README.md of a checkpoint folder: what the model is, what it is worth, how to use it."""
    kind = "Conditional Variational Auto-Encoder" if config.conditional else "VAE (unconditional)"
    test, training = metrics["test"], metrics["training"]
    encoder = "-".join(map(str, config.encoder_sizes))
    decoder = "-".join(map(str, config.decoder_sizes))
    recipe = (
        f"{training['optimizer']} {training['learning_rate']:g}, batch {training['batch_size']}, "
        f"{training['epochs']} epochs, seed {training['seed']}"
    )
    return f"""# {kind} of handwritten digits

![Samples, column = digit](samples.png)

| | |
|---|---|
| encoder | {encoder}, ReLU, then two heads (mean, log-variance) of {config.latent} |
| decoder | {decoder}, ReLU, sigmoid |
| weights | {metrics["parameters"]:,} float32, model.safetensors |
| prior | N(0, I), independent of the label |
| objective | binary cross-entropy summed over pixels + KL, the negative evidence lower bound |
| data | MNIST, {training["images"]:,} training and {test["images"]:,} test images |
| training | {recipe} |

## Measured

On the {test["images"]:,} test images, in nats per image, in evaluation mode:

| | negative ELBO | reconstruction | KL |
|---|---|---|---|
| bound: one sample of the posterior per image | {_row(test["bound"])} |
| at the posterior mean (no bound) | {_row(test["at_mean"])} |
| last training epoch, while training | {_row(training["last_epoch"])} |

Grey pixels are taken as probabilities of ink, so the binary cross-entropy is the article's loss
and not a likelihood of the grey values.

## Use

`decoder.onnx`: (noise [N, {config.latent}], one_hot [N, {config.classes}]) -> pixels
[N, {config.image_height}, {config.image_width}] in [0, 1]. `encoder.onnx`: (pixels, one_hot) ->
noise. Both float32; both read their weights from model.safetensors beside them.

For toy digits and teaching. It was trained on handwriting of American census employees and high
school students of the early 1990s and knows no other hands, no other signs and no larger sizes.
"""


def _row(loss: Mapping[str, float]) -> str:
    return " | ".join(f"{loss[part]:.2f}" for part in ("negative_elbo", "reconstruction_nll", "kl"))
