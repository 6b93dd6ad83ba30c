"""The peers draw the same pictures as the service, so their times can be compared."""

import numpy as np
import torch

from app.drawing.renderer import open_renderer
from app.settings import Settings
from benchmarks.peers.decoder import Decoder, png
from model.noise import line_noise

DIGITS = "0123456789"


def test_decoder_draws_the_pixels_of_the_service_from_the_same_noise() -> None:
    settings = Settings()
    renderer = open_renderer(settings.checkpoint, settings.engine, "float")
    noise = line_noise(7, 0, len(DIGITS), renderer.latent_size)
    ours = np.concatenate(list(renderer.generator.draw(renderer.one_hot(DIGITS), noise)), axis=1)
    theirs = np.asarray(Decoder().picture(DIGITS, torch.from_numpy(noise)))
    assert abs(ours.astype(int) - theirs.astype(int)).max() <= 1


def test_decoder_draws_a_new_picture_each_time() -> None:
    decoder = Decoder()
    first, second = png(decoder.draw("2018")), png(decoder.draw("2018"))
    assert first != second
    assert first.startswith(b"\x89PNG")
