import io

import numpy as np
import torch
from PIL import Image

from app.canvas import stitch
from model.checkpoint import PRETRAINED, read_checkpoint
from model.config import CVAEConfig
from model.cvae import CVAE
from model.noise import latents
from model.runtime import open_generator
from model.torch_engine import load_cvae
from training.report import model_card, sample_sheet

CPU = torch.device("cpu")


def test_sample_sheet_columns_are_the_labels_as_the_service_draws_them() -> None:
    checkpoint = read_checkpoint(PRETRAINED)
    sheet = np.asarray(Image.open(io.BytesIO(sample_sheet(load_cvae(checkpoint), 7, CPU))))
    assert sheet.shape == (280, 280)
    generator = open_generator(checkpoint)
    for row in range(10):
        noise = latents(7, row, 10, generator.config.latent)
        drawn = stitch(generator.draw(generator.one_hot(np.arange(10)), noise)[None])
        assert abs(sheet[28 * row : 28 * row + 28].astype(int) - drawn).max() <= 1


def test_sample_sheet_unconditional(tiny_config: CVAEConfig) -> None:
    vae = CVAE(tiny_config.model_copy(update={"conditional": False}))
    assert Image.open(io.BytesIO(sample_sheet(vae, 0, CPU))).size == (280, 280)


def test_model_card_carries_the_measured_numbers() -> None:
    checkpoint = read_checkpoint(PRETRAINED)
    card = model_card(checkpoint.config, checkpoint.metrics)
    assert card == (PRETRAINED / "README.md").read_text()
    assert f"{checkpoint.metrics['test']['bound']['negative_elbo']:.2f} |" in card
    assert "1,733,904 float32" in card
    assert "794-512-512" in card
    assert "266-512-512-784" in card
