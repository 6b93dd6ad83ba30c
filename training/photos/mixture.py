"""Pictures to train on: any digit or none, in any surroundings, light and colours."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from training.photos import marks, pen
from training.photos.company import behind, edge_of, write_row, write_touching
from training.photos.pen import Levels
from training.photos.scene import Colour, Plane, Scene

Rng = np.random.Generator
Effect = Callable[[Scene, Sequence[Levels], Colour], None]
MARKS = (pen.dot, pen.asterisk, pen.scribble, pen.face, pen.shape, *marks.MARKS)
LEAST_CONTRAST = 0.2  # between paper and ink, in the channel where they differ most
SHARES = 0.15, 0.7, 0.15  # of pictures with a mark or nothing, one digit, a row
ROW = 2, 6  # digits of a row: from, and below


class Example(NamedTuple):
    """A composed picture.

    Attributes:
        shot: (H, W, 3) float32 in [0, 1], what a camera takes.
        digits: (H, W) float32 in [0, 1] for each whole digit: where it covers the paper.
        mark: likewise, of what is written and is not a digit.
        cut: likewise, of digits of which the border cuts a part.
        back: likewise, of writing on the back of the sheet.
    """

    shot: Plane
    digits: list[Plane]
    mark: Plane
    cut: Plane
    back: Plane

    @property
    def inks(self) -> list[Plane]:
        """The covers of all whole digits, (H, W) in [0, 1]; without any, that of the mark."""
        return self.digits or [self.mark]


def mixed(
    digits: Sequence[Levels], side: int, rng: Rng, shares: Sequence[float] = SHARES
) -> Example:
    """One digit, a row of them, another mark or nothing.

    Args:
        digits: at least five, written in their order.
        side: the longer side, in pixels.
        rng: chooses everything.
        shares: see `SHARES`.
    """
    plain = pen.chance(rng, 0.2)  # as a program draws or a scanner sees it
    paper, ink = _clear(rng) if plain and pen.chance(rng, 0.6) else _colours(rng)
    digits = [pen.varied(digit, rng) for digit in digits]
    sides = [side, round(side * rng.uniform(0.6, 1))]
    height, width = sides if pen.chance(rng, 0.5) else sides[::-1]
    scene = Scene(rng, height, width, paper)
    if not plain and pen.chance(rng, 0.2):
        scene.grain(rng.uniform(0.2, 0.8))
    count = int(rng.choice([0, 1, 2], p=shares))
    (_nothing, _one, _several)[count](scene, digits, ink)
    if not plain:
        for share, effect in EFFECTS:
            if pen.chance(rng, share):
                effect(scene, digits, ink)
    shot = _plain_shot(scene) if plain else _shot(scene, noisy=not count and pen.chance(rng, 0.2))
    return Example(shot, scene.digits, scene.mark, scene.cut, scene.back)


def _plain_shot(scene: Scene) -> Plane:
    rng = scene.rng
    return scene.shot(rng.uniform(0, 1), rng.uniform(0, 0.02) if pen.chance(rng, 0.5) else 0, 1)


def _shot(scene: Scene, noisy: bool) -> Plane:
    """What some camera takes: dim or bright, tinted, out of focus, with noise, with any tones."""
    rng = scene.rng
    gain = rng.uniform(0.85, 1.1) if pen.chance(rng, 0.8) else rng.uniform(0.2, 1)
    tint = np.exp(rng.normal(0, 0.08, 3)).astype(np.float32)
    blur = rng.uniform(0, 1.2) if pen.chance(rng, 0.85) else rng.uniform(1, 2.5)
    noise = rng.uniform(0.1, 0.5) if noisy else rng.uniform(0, 0.03) * min(1, 2 * gain)
    shot = scene.shot(blur, noise, gain * tint)
    if pen.chance(rng, 0.3):
        shot = shot ** np.float32(rng.uniform(0.6, 1.6))
    return shot


def _clear(rng: Rng) -> tuple[Colour, Colour]:
    """Black on white, or white on black."""
    pair = np.zeros(3, dtype=np.float32), np.ones(3, dtype=np.float32)
    return pair if pen.chance(rng, 0.5) else pair[::-1]


def _colours(rng: Rng) -> tuple[Colour, Colour]:
    """Any paper and an ink that differs from it; three times in five, paper that is bright."""
    while True:
        paper, ink = rng.uniform(0, 1, (2, 3))
        if pen.chance(rng, 0.6):
            paper = rng.uniform(0.7, 1) * (1 - rng.uniform(0, 0.2, 3))
            ink = ink * 0.6 if pen.chance(rng, 0.7) else ink
        if np.abs(paper - ink).max() > LEAST_CONTRAST:
            return paper.astype(np.float32), ink.astype(np.float32)


def _one(scene: Scene, digits: Sequence[Levels], ink: Colour) -> None:
    rng = scene.rng
    size = rng.uniform(0.2, 0.9) if pen.chance(rng, 0.85) else rng.uniform(0.85, 1.05)
    angle = rng.normal(0, 10) if pen.chance(rng, 0.7) else rng.uniform(-55, 55)
    x, y = scene.write(digits[0], ink, size, angle, soft=pen.chance(rng, 0.25))
    if pen.chance(rng, 0.15):
        frame = (rng.uniform(0, 1, 3) * 0.8).astype(np.float32)
        reach = scene.half_height() * rng.uniform(1.15, 2.5)
        scene.box(frame, rng.uniform(0.003, 0.02), x, y, reach, rng.normal(0, 0.05))


def _several(scene: Scene, digits: Sequence[Levels], ink: Colour) -> None:
    write_row(scene, digits[: int(scene.rng.integers(*ROW))], ink)


def _nothing(scene: Scene, digits: Sequence[Levels], ink: Colour) -> None:
    """A mark that is not a digit, two digits that touch, or one time in ten nothing at all."""
    rng = scene.rng
    if pen.chance(rng, 0.1):
        return
    if pen.chance(rng, 0.15):
        write_touching(scene, digits, ink)
        return
    mark = MARKS[int(rng.integers(len(MARKS)))]
    size = 0.9 * 0.05 ** rng.uniform() if mark is pen.dot else rng.uniform(0.15, 0.9)
    small = mark(max(4, round(size * scene.side)), rng)
    # A filled spot is not to be marked, as crumbs are not: what is left of it would be a ring.
    write = scene.cover if mark is pen.dot else scene.add_mark
    write(scene.place(small, *rng.uniform(0.3, 0.7, 2)), ink)


def _print_colour(scene: Scene) -> Colour:
    """A colour between the paper and any other."""
    other = scene.rng.uniform(0, 1, 3)
    mixture = scene.paper + scene.rng.uniform(0.15, 0.9) * (other - scene.paper)
    return mixture.astype(np.float32)


def _lines(scene: Scene, _: Sequence[Levels], __: Colour) -> None:
    """Ruled lines, squares, or a margin; a gap far larger than the picture often has no line."""
    rng = scene.rng
    line = _print_colour(scene)
    gap, thick = rng.uniform(0.04, 0.4), rng.uniform(0.002, 0.025)
    upright, level = rng.choice([gap, 2, 9], p=[0.35, 0.3, 0.35]), pen.chance(rng, 0.85)
    if level:
        scene.ruled(line, gap, thick, tilt=0.05)
    other = _print_colour(scene) if upright > gap else line
    scene.ruled(other, upright, thick, upright=True, tilt=0.05)


def _edges(scene: Scene, _: Sequence[Levels], __: Colour) -> None:
    """The table at one or two sides."""
    rng = scene.rng
    for _count in range(int(rng.integers(1, 3))):
        turn = rng.integers(4) * np.pi / 2 + rng.normal(0, 0.15)
        scene.outside(rng.uniform(0, 1, 3).astype(np.float32), turn, rng.uniform(0.02, 0.2))


def _words(scene: Scene, _: Sequence[Levels], ink: Colour) -> None:
    """A few small letters and signs beside the digit, as on a form."""
    rng = scene.rng
    side = max(4, round(rng.uniform(0.06, 0.2) * scene.side))
    x, y = rng.uniform(0.05, 0.6), rng.uniform(0.05, 0.95)
    colour = ink if pen.chance(rng, 0.5) else _print_colour(scene)
    for index in range(int(rng.integers(1, 6))):
        small = marks.MARKS[int(rng.integers(len(marks.MARKS)))](side, rng)
        cover = scene.place(small, x + 1.1 * index * side / scene.width, y)
        if not scene.touches(pen.blurred(cover, 0.02 * scene.side)):
            scene.add_mark(cover, colour)


def _finger(scene: Scene, _: Sequence[Levels], __: Colour) -> None:
    skin = scene.rng.uniform(0.3, 1) * np.array([1, 0.72, 0.6])
    scene.finger(skin.astype(np.float32))


def _shadow(scene: Scene, _: Sequence[Levels], __: Colour) -> None:
    scene.shadow(scene.rng.uniform(0.2, 0.7), scene.rng.uniform(0, 0.08))


def _half_shadow(scene: Scene, _: Sequence[Levels], __: Colour) -> None:
    scene.half_shadow(scene.rng.uniform(0.2, 0.7), scene.rng.uniform(0, 0.05))


# How likely each effect is, in this order.
EFFECTS: tuple[tuple[float, Effect], ...] = (
    (0.35, _lines),
    (0.1, _words),
    (0.2, lambda scene, digits, _: behind(scene, digits[1], scene.rng.uniform(0.05, 0.3))),
    (0.15, lambda scene, digits, ink: edge_of(scene, digits[2], ink)),
    (0.2, lambda scene, _, ink: scene.spots(int(scene.rng.integers(1, 5)), 0.01, 0.05, ink)),
    (0.12, lambda scene, _, __: scene.spots(25, 0.004, 0.02, _print_colour(scene))),
    (0.2, _edges),
    (0.12, _finger),
    (0.5, lambda scene, _, __: scene.gradient(scene.rng.uniform(0, 0.6))),
    (0.2, lambda scene, _, __: scene.vignette(scene.rng.uniform(0.2, 0.8))),
    (0.25, lambda scene, _, __: scene.mottle(scene.rng.uniform(0.01, 0.12))),
    (0.25, _shadow),
    (0.2, _half_shadow),
    (0.12, lambda scene, _, __: scene.fold(scene.rng.uniform(0.03, 0.3))),
)
