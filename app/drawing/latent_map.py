"""A map of the latent space: the two directions of the noise that change a digit most."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from app.drawing.canvas import enlarge, stitch
from app.telemetry.counters import COMPOSE
from app.request.schemas import LatentMapQuery
from app.drawing.renderer import Studio

STEP = 0.5  # of the noise, in standard deviations, for the differences below


def map_sheet(studio: Studio, order: LatentMapQuery) -> NDArray[np.uint8]:
    """A square sheet (H, W) uint8: the style or the most typical digit in the middle.

    From left to right the noise walks along the direction that changes the picture most, from
    top to bottom along the second.
    """
    across, down = strongest_directions(studio, order.digit)
    steps = np.linspace(-order.span, order.span, order.cells, dtype=np.float32)
    middle = studio.style_noise(order.style)
    noise = steps[None, :, None] * across + steps[:, None, None] * down  # (cells, cells, Z)
    noise = noise if middle is None else noise + middle
    cells = order.cells
    one_hot = studio.generator.one_hot(np.full(cells * cells, order.digit))
    drawn = studio.draw(one_hot, noise.reshape(cells * cells, -1))
    with studio.ledger.stage(COMPOSE):
        return enlarge(stitch(drawn.reshape(cells, cells, *drawn.shape[1:])), order.scale)


@lru_cache(maxsize=10)
def strongest_directions(
    studio: Studio, label: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Two unit vectors (Z,): the first singular vectors of d pixels / d noise at noise 0.

    Costs as much as drawing 2 Z digits, so each label's are kept.
    """
    size = studio.latent_size
    one_hot = studio.generator.one_hot(np.full(2 * size, label))
    steps = np.concatenate([np.eye(size), -np.eye(size)]).astype(np.float32) * STEP
    pixels = studio.generator.engine.decode(steps, one_hot)
    slopes = (pixels[:size] - pixels[size:]).reshape(size, -1) / (2 * STEP)  # (Z, H*W)
    _, directions = np.linalg.eigh(slopes @ slopes.T)  # by growing change of the picture
    return _signed(directions[:, -1]), _signed(directions[:, -2])


def _signed(direction: NDArray[np.float32]) -> NDArray[np.float32]:
    """A singular vector has no sign of its own: its largest entry shall be positive."""
    turned: NDArray[np.float32] = direction * np.sign(direction[np.abs(direction).argmax()])
    return turned.astype(np.float32)
