"""Kinds of pictures: each makes one of a real digit, or of what is not a digit, from a seed.

They are for measuring, one difficulty each. For training, `training/photos/mixture.py` has any of
them together, of other digits, seeds, sizes and colours.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from training.photos import pen
from training.photos.company import behind, edge_of, write_row
from training.photos.pen import Levels, cropped
from training.photos.scene import Colour, Scene, jpeg

Rng = np.random.Generator
Drawer = Callable[[Scene, Sequence[Levels]], None]
WHITE, CREAM, PINK = (0.96, 0.95, 0.93), (0.97, 0.94, 0.82), (0.97, 0.78, 0.83)
INK, PENCIL, YELLOW = (0.1, 0.11, 0.17), (0.62, 0.62, 0.63), (0.93, 0.82, 0.2)
BLUE, RED, BLACK = (0.55, 0.68, 0.85), (0.85, 0.4, 0.42), (0.1, 0.1, 0.1)
BOARD, CHALK = (0.12, 0.2, 0.17), (0.88, 0.88, 0.85)
WOOD, SKIN = (0.42, 0.28, 0.18), (0.85, 0.62, 0.5)
PORTRAIT = 480, 360  # pixels, height and width of a measured picture


def colour(*levels: float) -> Colour:
    """A colour of three levels in [0, 1]."""
    return np.array(levels, dtype=np.float32)


class Kind(NamedTuple):
    """How a picture differs from a plain one.

    Attributes:
        draw: writes the digits and adds what makes the kind.
        paper: its colour.
        gain: of the camera.
    """

    draw: Drawer
    paper: tuple[float, float, float] = WHITE
    gain: float = 0.97


def _write(
    scene: Scene,
    digits: Sequence[Levels],
    ink: tuple[float, float, float] = INK,
    angle: float = 0,
) -> tuple[float, float]:
    size = scene.rng.uniform(0.25, 0.6)
    return scene.write(digits[0], colour(*ink), size, angle + scene.rng.normal(0, 3))


def _plain(scene: Scene, digits: Sequence[Levels]) -> None:
    _write(scene, digits)
    scene.gradient(scene.rng.uniform(0.05, 0.35))


def _with(*effects: Callable[[Scene], None]) -> Drawer:
    """A plain picture with further effects."""

    def draw(scene: Scene, digits: Sequence[Levels]) -> None:
        _plain(scene, digits)
        for effect in effects:
            effect(scene)

    return draw


def _inked(*ink: float, angle: float = 0) -> Drawer:
    def draw(scene: Scene, digits: Sequence[Levels]) -> None:
        _write(scene, digits, (ink[0], ink[1], ink[2]), angle)
        scene.gradient(scene.rng.uniform(0.05, 0.35))

    return draw


def _turned(degrees: float) -> Drawer:
    def draw(scene: Scene, digits: Sequence[Levels]) -> None:
        _write(scene, digits, INK, degrees * scene.rng.choice([-1, 1]))
        scene.gradient(scene.rng.uniform(0.05, 0.35))

    return draw


def _rules(scene: Scene) -> None:
    scene.ruled(colour(*BLUE), scene.rng.uniform(0.08, 0.2), scene.rng.uniform(0.003, 0.007))


def _margin(scene: Scene) -> None:
    _rules(scene)
    x = scene.rng.uniform(0.1, 0.3)
    line = np.clip(0.003 * scene.width - np.abs(scene.across - x) * scene.width + 0.5, 0, 1)
    scene.cover(np.broadcast_to(line, scene.light.shape), colour(*RED))


def _squares(scene: Scene) -> None:
    gap, thick = scene.rng.uniform(0.05, 0.12), scene.rng.uniform(0.003, 0.006)
    for upright in (False, True):
        scene.ruled(colour(*BLUE), gap, thick, upright)


def _box(scene: Scene, digits: Sequence[Levels]) -> None:
    x, y = _write(scene, digits)
    half = scene.half_height()
    reach = half * scene.rng.uniform(1.3, 2)
    scene.box(colour(*BLACK), scene.rng.uniform(0.003, 0.008), x, y, reach)
    scene.gradient(0.2)


def _neighbour(scene: Scene, digits: Sequence[Levels]) -> None:
    _plain(scene, digits)
    edge_of(scene, digits[1], colour(*INK))


def _behind(scene: Scene, digits: Sequence[Levels]) -> None:
    _plain(scene, digits)
    behind(scene, digits[1], scene.rng.uniform(0.12, 0.3))


def _table(scene: Scene) -> None:
    turn = scene.rng.integers(4) * np.pi / 2 + scene.rng.normal(0, 0.06)
    scene.outside(colour(*WOOD), turn, scene.rng.uniform(0.04, 0.15))


KINDS: dict[str, Kind] = {
    "plain": Kind(_plain),
    "ruled": Kind(_with(_rules)),
    "red margin": Kind(_with(_margin)),
    "squared": Kind(_with(_squares)),
    "box": Kind(_box),
    "hand shadow": Kind(_with(lambda scene: scene.shadow(scene.rng.uniform(0.35, 0.6), 0.02))),
    "hard shadow": Kind(_with(lambda scene: scene.half_shadow(scene.rng.uniform(0.3, 0.6), 0))),
    "fold": Kind(_with(lambda scene: scene.fold(scene.rng.uniform(0.08, 0.25)))),
    "vignette": Kind(_with(lambda scene: scene.vignette(scene.rng.uniform(0.4, 0.75)))),
    "dim": Kind(_plain, gain=0.22),
    "faint pencil": Kind(_inked(*PENCIL)),
    "yellow on cream": Kind(_inked(*YELLOW), paper=CREAM),
    "pink paper": Kind(_inked(0.45, 0.2, 0.5), paper=PINK),
    "chalk board": Kind(_inked(*CHALK), paper=BOARD),
    "table": Kind(_with(_table)),
    "finger": Kind(_with(lambda scene: scene.finger(colour(*SKIN)))),
    "neighbour": Kind(_neighbour),
    "three dots": Kind(_with(lambda scene: scene.spots(3, 0.012, 0.03, colour(*INK)))),
    "crumbs": Kind(_with(lambda scene: scene.spots(25, 0.004, 0.016, colour(0.45, 0.3, 0.15)))),
    "back side": Kind(_behind),
    "rotated 30": Kind(_turned(30)),
    "rotated 45": Kind(_turned(45)),
    "lines, shadow": Kind(_with(_rules, lambda scene: scene.shadow(0.45, 0.03))),
}


def _several(count: int) -> Drawer:
    def draw(scene: Scene, digits: Sequence[Levels]) -> None:
        write_row(scene, digits[:count], colour(*INK))

    return draw


def _marked(mark: Callable[[int, Rng], pen.Cover], low: float = 0.2, high: float = 0.6) -> Drawer:
    def draw(scene: Scene, _: Sequence[Levels]) -> None:
        small = mark(max(4, round(scene.rng.uniform(low, high) * scene.side)), scene.rng)
        x, y = scene.rng.uniform(0.35, 0.65, 2)
        scene.cover(scene.place(small, x, y), colour(*INK))
        scene.gradient(0.2)

    return draw


REFUSED: dict[str, Kind] = {
    "two digits": Kind(_several(2)),
    "four digits": Kind(_several(4)),
    "dot": Kind(_marked(pen.dot, 0.03, 0.3)),
    "asterisk": Kind(_marked(pen.asterisk)),
    "scribble": Kind(_marked(pen.scribble)),
    "face": Kind(_marked(pen.face)),
    "sign": Kind(_marked(pen.shape)),
    "bare paper": Kind(lambda scene, _: scene.gradient(0.3)),
}


def scene_of(kind: Kind, digits: Sequence[Levels], rng: Rng) -> Scene:
    """What lies under the camera: the first digit, others as neighbours; `PORTRAIT` pixels."""
    scene = Scene(rng, *PORTRAIT, colour(*kind.paper))
    kind.draw(scene, digits)
    return scene


def photo(kind: Kind, digits: Sequence[Levels], rng: Rng) -> bytes:
    """A JPEG of such a scene."""
    return photo_of(scene_of(kind, digits, rng), kind)


def photo_of(scene: Scene, kind: Kind) -> bytes:
    """A JPEG of a scene."""
    blur, noise = scene.rng.uniform(0.5, 1.5), scene.rng.uniform(0.01, 0.025)
    return jpeg(scene.shot(blur, noise, kind.gain), 80)


def noise(rng: Rng) -> bytes:
    """A JPEG of nothing but noise."""
    small = rng.uniform(0, 1, (160, 120, 3)).astype(np.float32)
    return jpeg(small, 80)


def tight(digit: Levels, bright: bool, rng: Rng) -> bytes:
    """A clean picture of a digit, cropped to its ink."""
    cover = pen.written(digit, rng.uniform(80, 220), 0, rng)
    rows, columns = (np.flatnonzero((cover > pen.HALF).any(axis)) for axis in (1, 0))
    cover = cover[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    shot = np.repeat((cover if bright else 1 - cover)[..., None], 3, axis=2)
    return jpeg(shot, 90)


def eight(digit: Levels) -> Levels:
    """A picture of 8 x 8 pixels of the digit, its longer side 8 pixels, ink bright."""
    ink = cropped(digit)
    around = max(ink.shape) - np.array(ink.shape)
    square = np.pad(ink, [(free // 2, free - free // 2) for free in around])
    return np.asarray(Image.fromarray(square).resize((8, 8), Image.Resampling.BOX))
