"""The way from one number to another: noise on its sphere, labels between two digits."""

import math

import numpy as np
from numpy.typing import NDArray

from app.drawing.canvas import enlarge, stitch
from app.telemetry.counters import COMPOSE, NOISE
from app.request.schemas import MorphQuery, hand_share
from app.drawing.renderer import Studio, labels_of
from model.noise import latents, mix


def morph_sheets(studio: Studio, order: MorphQuery, seed: int) -> list[NDArray[np.uint8]]:
    """The sheets of a loop from one number to the other and back.

    The first sheet is the picture that `/generate` gives for the first number; the middle one
    shows the second. Both turning points are approached slowly.

    Returns:
        `frames` sheets (H, W) uint8, enlarged.
    """
    count, size = len(order.start), studio.latent_size
    style, share = studio.style_noise(order.style), hand_share(order.variation, order.style)
    near = studio.line_noise(seed, 0, count, share, style)
    far = latents(seed, 1, count, size)
    begin, end = (studio.generator.one_hot(labels_of(text)) for text in (order.start, order.end))
    sheets = []
    for frame in range(order.frames):
        way = (1 - math.cos(2 * math.pi * frame / order.frames)) / 2  # 0 at the start, 1 half way
        with studio.ledger.stage(NOISE):
            noise = mix(near, far, order.walk * way) * np.float32(order.temperature)
        one_hot = (1 - np.float32(way)) * begin + np.float32(way) * end
        pictures = studio.draw(one_hot, noise)
        with studio.ledger.stage(COMPOSE):
            sheets.append(enlarge(stitch(pictures[None], gap=order.gap), order.scale))
    return sheets
