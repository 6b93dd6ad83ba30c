"""The sheet of samples of a checkpoint."""

import io

import numpy as np
import torch
from PIL import Image

from model.cvae import CVAE
from model.engine import pictures_of
from model.noise import line_noise

ROWS, COLUMNS = 10, 40


@torch.inference_mode()
def sample_sheet(cvae: CVAE, seed: int, device: torch.device) -> bytes:
    """A PNG of unchosen samples: 10 rows by 40 columns, column = label, again from the first.

    Each picture has its own noise. Of ten digits these are what `/generate` draws with this seed
    and 10 rows for "0123456789", four times in a line. Of more than 40 labels the first 40 are
    shown. An unconditional VAE draws any label anywhere.
    """
    config = cvae.config
    noise = np.concatenate([line_noise(seed, row, COLUMNS, config.latent) for row in range(ROWS)])
    labels = torch.arange(COLUMNS).remainder(config.classes).repeat(ROWS)
    one_hot = torch.eye(config.classes)[labels] if config.conditional else None
    pixels = cvae.decoder(
        torch.from_numpy(noise).to(device), None if one_hot is None else one_hot.to(device)
    )
    levels = pictures_of(np.asarray(pixels.cpu()), config.canvas)  # (rows * K, H, W)
    height, width = config.picture_size
    grid = levels.reshape(ROWS, COLUMNS, height, width)
    sheet = grid.transpose(0, 2, 1, 3).reshape(ROWS * height, -1)
    file = io.BytesIO()
    Image.fromarray(sheet).save(file, format="PNG")
    return file.getvalue()
