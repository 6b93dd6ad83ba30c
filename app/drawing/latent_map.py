"""A map of the latent space: the two directions of the noise that change a digit most."""

from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from app.drawing.canvas import stitch
from app.drawing.encoding import encode
from app.drawing.renderer import Noise, Renderer
from app.request.schemas import LatentMapQuery

STEP = 0.5  # standard deviations of the noise, for the central differences below


def render_map(renderer: Renderer, query: LatentMapQuery) -> bytes:
    """The file of a square map: the style, or the most typical digit, is in the middle.

    From left to right the noise moves along the direction that changes the picture most, from
    top to bottom along the second.

    Raises:
        InvalidRequest: the style token does not belong to this model.
    """
    start = perf_counter()
    noise = _noise(renderer, query)
    one_hot = _one_hot(renderer, query.label_index, len(noise))
    noise_end = perf_counter()
    pictures = renderer.generator.draw(one_hot, noise)
    decode_end = perf_counter()
    sheet = stitch(pictures.reshape(query.cells, query.cells, *pictures.shape[1:]))
    compose_end = perf_counter()
    facts = {"request": query.canonical(), "model": renderer.model_hash}
    content = encode(query, sheet, "Pictures" if query.label is None else str(query.label), facts)
    moments = (start, noise_end, decode_end, compose_end, perf_counter())
    renderer.counters.add_drawing(len(pictures), moments)
    return content


def strongest_directions(renderer: Renderer, label: int) -> tuple[Noise, Noise]:
    """Two unit vectors (Z,): the first singular vectors of d pixels / d noise at noise 0.

    The renderer keeps those of each label, because they cost as much as drawing 2 Z digits.
    """
    if label not in renderer.directions:
        renderer.directions[label] = _strongest_directions(renderer, label)
    return renderer.directions[label]


def _noise(renderer: Renderer, query: LatentMapQuery) -> Noise:
    """The noise (cells * cells, Z) of the map, line by line."""
    across, down = strongest_directions(renderer, query.label_index)
    steps = np.linspace(-query.span, query.span, query.cells, dtype=np.float32)
    noise: Noise = steps[None, :, None] * across + steps[:, None, None] * down
    middle = renderer.style_noise(query.style)
    return (noise if middle is None else noise + middle).reshape(query.cells**2, -1)


def _strongest_directions(renderer: Renderer, label: int) -> tuple[Noise, Noise]:
    size = renderer.latent_size
    one_hot = _one_hot(renderer, label, 2 * size)
    steps = np.concatenate([np.eye(size), -np.eye(size)]).astype(np.float32) * STEP
    pixels = renderer.generator.engine.decode(steps, one_hot)
    slopes = (pixels[:size] - pixels[size:]).reshape(size, -1) / (2 * STEP)  # (Z, H*W)
    _, directions = np.linalg.eigh(slopes @ slopes.T)  # ascending by change of the picture
    if size == 1:  # one number has one direction
        return _signed(directions[:, -1]), np.zeros(1, dtype=np.float32)
    return _signed(directions[:, -1]), _signed(directions[:, -2])


def _one_hot(renderer: Renderer, label: int, count: int) -> NDArray[np.float32]:
    """The same label (count, K) for all pictures."""
    return renderer.generator.one_hot(np.full(count, label, dtype=np.intp))


def _signed(direction: NDArray[np.float32]) -> Noise:
    """The direction with a positive largest entry: a singular vector has no sign of its own."""
    signed: Noise = direction * np.sign(direction[np.abs(direction).argmax()])
    return signed.astype(np.float32)
