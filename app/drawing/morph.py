"""The animation between two numbers: noise moves on its sphere, labels between two digits."""

import math
from collections.abc import Sequence
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from app.drawing.animation import encode_animation
from app.drawing.canvas import stitch
from app.drawing.encoding import rendered
from app.drawing.marks import with_marks
from app.drawing.palette import palette_of
from app.drawing.renderer import Noise, Renderer
from app.request.morph import MorphQuery
from model.noise import line_noise, mix

Levels = NDArray[np.uint8]


def render_morph(renderer: Renderer, query: MorphQuery, seed: int) -> bytes:
    """The file of a loop from one number to the other and back.

    The first frame is the picture that `/generate` gives for the first number; the middle one
    shows the second. The motion slows down towards both.

    Raises:
        InvalidRequest: the style token does not belong to this model.
    """
    start = perf_counter()
    ways = [(1 - math.cos(2 * math.pi * n / query.frames)) / 2 for n in range(query.frames)]
    noises = _noises(renderer, query, seed, ways)
    first, second = (renderer.one_hot([line]) for line in query.labels)
    one_hots = [(1 - np.float32(way)) * first + np.float32(way) * second for way in ways]
    noise_end = perf_counter()
    # Frame by frame, with the matrix sizes of /generate: others may round differently.
    lines = [renderer.generator.draw(*frame) for frame in zip(one_hots, noises, strict=True)]
    decode_end = perf_counter()
    sheets = [rendered(query, stitch(_marked(line, query), gap=query.gap)) for line in lines]
    compose_end = perf_counter()
    facts = {
        "seed": str(seed),
        "request": query.canonical(seed=seed),
        "model": renderer.model_hash,
    }
    palette = palette_of(query.ink, query.paper)
    content = encode_animation(sheets, facts, palette, query.fps, query.format)
    moments = (start, noise_end, decode_end, compose_end, perf_counter())
    renderer.counters.add_drawing(len(first) * len(lines), moments)
    return content


def _marked(line: Levels, query: MorphQuery) -> Levels:
    """The pictures (1, M, H, W) of a frame, from those of its digits (N, H, W)."""
    written = query.labels[0] != query.start
    return with_marks(line[None], query.start) if written else line[None]


def _noises(renderer: Renderer, query: MorphQuery, seed: int, ways: Sequence[float]) -> list[Noise]:
    """The noise (N, Z) of each frame.

    Args:
        renderer: draws the frames.
        query: of the animation.
        seed: of the request.
        ways: how far each frame is from the first number, 0, to the second, 1.
    """
    count = query.alphabet.length(query.labels[0])
    near = renderer.line_noise([(seed, 0, count)], query)
    far = line_noise(seed, 1, count, renderer.latent_size)
    temperature = np.float32(query.temperature)
    return [mix(near, far, query.walk * way) * temperature for way in ways]
