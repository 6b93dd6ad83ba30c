"""The peers draw what the service draws: otherwise their times would say nothing."""

import numpy as np
import torch

from app.settings import Settings
from app.drawing.renderer import open_studio
from benchmarks.peers.decoder import Decoder, png
from model.noise import line_noise

DIGITS = "0123456789"


def test_decoder_draws_the_pixels_of_the_service_from_the_same_noise() -> None:
    studio = open_studio(Settings(precision="float"))
    noise = line_noise(7, 0, len(DIGITS), studio.latent_size)
    one_hot = studio.generator.one_hot(np.arange(len(DIGITS)))
    ours = np.concatenate(list(studio.generator.draw(one_hot, noise)), axis=1)
    theirs = np.asarray(Decoder().picture(DIGITS, torch.from_numpy(noise)))
    assert abs(ours.astype(int) - theirs.astype(int)).max() <= 1


def test_decoder_draws_another_picture_each_time() -> None:
    decoder = Decoder()
    first, second = png(decoder.draw("2018")), png(decoder.draw("2018"))
    assert first != second
    assert first.startswith(b"\x89PNG")
