"""A sheet of paper under a camera: what is printed, written, lies and falls on it."""

import io
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.photos.pen import LEAST_BLUR, Cover, Levels, blurred, written

Colour = NDArray[np.float32]  # (3,) in [0, 1]
Plane = NDArray[np.float32]
TOUCH = 0.01  # product of two covers


@dataclass
class Scene:
    """Layers of one picture, (H, W, 3) float32 in [0, 1], and the digit's cover.

    Attributes:
        rng: chooses everything that the caller does not.
        height: in pixels.
        width: in pixels.
        sheet: what the paper and everything on it reflects.
        light: (H, W) that falls on it.
        digit: (H, W) the cover of all whole digits, 0 without one.
        digits: the cover of each.
        mark: (H, W) the cover of what is written and is not a digit.
        cut: (H, W) the cover of digits of which the border cuts a part.
        back: (H, W) where writing on the back of the sheet shines through.
        texture: (H, W) in [0, 1], how much of the ink sticks to the paper.
    """

    rng: np.random.Generator
    height: int
    width: int
    paper: Colour
    sheet: Plane = field(init=False)
    light: Plane = field(init=False)
    digit: Cover = field(init=False)
    digits: list[Cover] = field(default_factory=list, init=False)
    mark: Cover = field(init=False)
    cut: Cover = field(init=False)
    back: Cover = field(init=False)
    texture: Cover = field(init=False)

    def __post_init__(self) -> None:
        size = self.height, self.width
        self.sheet = np.ones((*size, 3), dtype=np.float32) * self.paper
        self.light = np.ones(size, dtype=np.float32)
        self.digit = np.zeros(size, dtype=np.float32)
        self.mark = np.zeros(size, dtype=np.float32)
        self.cut = np.zeros(size, dtype=np.float32)
        self.back = np.zeros(size, dtype=np.float32)
        self.texture = np.ones(size, dtype=np.float32)
        self.across = np.arange(self.width, dtype=np.float32)[None, :] / self.width
        self.down = np.arange(self.height, dtype=np.float32)[:, None] / self.height

    @property
    def side(self) -> int:
        """The shorter side in pixels."""
        return min(self.height, self.width)

    def cover(self, cover: NDArray[np.floating], colour: Colour) -> None:
        """Lay a colour where `cover` (H, W) is 1, below the digit if that is already written."""
        below = (cover * (1 - self.digit)).astype(np.float32)
        self.sheet += below[..., None] * (colour - self.sheet)

    def place(self, small: Cover, x: float, y: float) -> Cover:
        """A cover (H, W) with `small` centred at (x, y) in [0, 1], cut at the border."""
        canvas = np.zeros((self.height, self.width), dtype=np.float32)
        height, width = small.shape
        top, left = round(y * self.height - height / 2), round(x * self.width - width / 2)
        rows = slice(max(top, 0), min(top + height, self.height))
        columns = slice(max(left, 0), min(left + width, self.width))
        if rows.start < rows.stop and columns.start < columns.stop:
            canvas[rows, columns] = small[
                rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
            ]
        return canvas

    def touches(self, cover: NDArray[np.floating]) -> bool:
        """Whether ink of `cover` (H, W) lies on the digit."""
        return bool((self.digit * cover > TOUCH).any())

    def half_height(self) -> float:
        """Half the height of the digit, in sides."""
        return 0.5 * float(np.ptp(np.flatnonzero(self.digit.any(axis=1)))) / self.side

    def ruled(
        self, colour: Colour, gap: float, pen: float, upright: bool = False, tilt: float = 0.01
    ) -> None:
        """Lines `gap` sides apart; horizontal, or vertical if `upright`, but for a slope `tilt`."""
        axis = self.across * self.width if upright else self.down * self.height
        slope = self.rng.normal(0, tilt)
        other = self.down * self.height if upright else self.across * self.width
        phase = (axis + slope * other) / (gap * self.side) + self.rng.uniform()
        distance = np.abs(phase - np.round(phase)) * gap * self.side
        line = np.clip(pen * self.side / 2 - distance + 0.5, 0, 1)
        self.cover(line * min(1.0, pen * self.side), colour)

    def box(
        self, colour: Colour, pen: float, x: float, y: float, half: float, slope: float = 0
    ) -> None:
        """A printed frame around (x, y), `half` sides from its middle, turned by `slope`."""
        reach = half * self.side
        right, below = (self.across - x) * self.width, (self.down - y) * self.height
        wide = np.abs(right - slope * below) - reach * self.rng.uniform(0.8, 1.1)
        high = np.abs(below + slope * right) - reach
        distance = np.abs(np.maximum(wide, high))
        line = np.clip(pen * self.side / 2 - distance + 0.5, 0, 1)
        self.cover(line * min(1.0, pen * self.side), colour)

    def spots(self, count: int, low: float, high: float, colour: Colour) -> None:
        """Round dots of `low` to `high` sides across, not on the digit."""
        for _ in range(count):
            x, y = self.rng.uniform(0.02, 0.98, 2)
            radius = self.rng.uniform(low, high) * self.side / 2
            distance = np.hypot((self.across - x) * self.width, (self.down - y) * self.height)
            cover = np.clip(radius - distance + 0.5, 0, 1) * min(1.0, 2 * radius)
            if not self.touches(cover):
                self.cover(cover, colour)

    def outside(self, colour: Colour, angle: float, inset: float) -> None:
        """What lies beyond one straight edge of the sheet, `inset` sides from the border."""
        direction = np.cos(angle), np.sin(angle)
        reach = (self.across - 0.5) * direction[0] + (self.down - 0.5) * direction[1]
        beyond = (reach - float(reach.max()) + inset) * self.side
        grain = 1 + 0.1 * np.sin(self.rng.uniform(20, 80) * self.down + 3 * self.across)
        edge = np.clip(beyond + 0.5, 0, 1).astype(np.float32)
        edge *= 1 - np.clip(self.digit * 2, 0, 1)
        self.sheet += edge[..., None] * (colour * grain[..., None].astype(np.float32) - self.sheet)

    def finger(self, colour: Colour) -> None:
        """A finger tip that reaches in from a corner."""
        x, y = self.rng.choice([0.0, 1.0]), self.rng.choice([0.0, 1.0])
        turn = self.rng.uniform(0, np.pi)
        right, below = (self.across - x) * self.width, (self.down - y) * self.height
        along, beside = (
            right * np.cos(turn) + below * np.sin(turn),
            below * np.cos(turn) - right * np.sin(turn),
        )
        long, wide = (
            self.rng.uniform(0.15, 0.35) * self.side,
            self.rng.uniform(0.1, 0.2) * self.side,
        )
        distance = 1 - np.hypot(along / long, beside / wide)
        edge = np.clip(distance * wide / 2, 0, 1).astype(np.float32)
        edge *= 1 - np.clip(self.digit * 2, 0, 1)
        shade = (0.75 + 0.25 * np.clip(distance, 0, 1))[..., None]
        self.sheet += edge[..., None] * (colour * shade - self.sheet)

    def gradient(self, depth: float) -> None:
        """Light that falls off by `depth` in some direction."""
        angle = self.rng.uniform(0, 2 * np.pi)
        way = (self.across - 0.5) * np.cos(angle) + (self.down - 0.5) * np.sin(angle)
        way = (way - way.min()) / max(float(np.ptp(way)), 1e-6)
        self.light *= (1 - depth * way).astype(np.float32)

    def vignette(self, depth: float) -> None:
        """Light that falls off by `depth` towards the corners."""
        radius = (self.across - 0.5) ** 2 + (self.down - 0.5) ** 2
        self.light *= (1 - 2 * depth * radius).astype(np.float32)

    def shadow(self, depth: float, blur: float) -> None:
        """The shadow of a hand or a phone: a strip with an end, `blur` sides soft."""
        angle = self.rng.uniform(0, 2 * np.pi)
        x, y = self.rng.uniform(0.2, 0.8, 2)
        along = (self.across - x) * np.cos(angle) + (self.down - y) * np.sin(angle)
        beside = (self.down - y) * np.cos(angle) - (self.across - x) * np.sin(angle)
        half = self.rng.uniform(0.12, 0.3)
        inside = np.minimum(along, half + 0.2 * along - np.abs(beside))
        cover = np.clip(inside * self.side + 0.5, 0, 1).astype(np.float32)
        self.light *= 1 - depth * blurred(cover, blur * self.side)

    def half_shadow(self, depth: float, blur: float) -> None:
        """A straight edge of shadow across the picture."""
        angle = self.rng.uniform(0, 2 * np.pi)
        way = (self.across - 0.5) * np.cos(angle) + (self.down - 0.5) * np.sin(angle)
        edge = way - self.rng.uniform(-0.25, 0.25)
        cover = np.clip(edge * self.side / max(1.0, blur * self.side) + 0.5, 0, 1)
        self.light *= (1 - depth * cover).astype(np.float32)

    def fold(self, depth: float) -> None:
        """A crease: one half of the sheet is darker, with a thin line between them."""
        angle = self.rng.choice([0, np.pi / 2]) + self.rng.normal(0, 0.05)
        way = (self.across - 0.5) * np.cos(angle) + (self.down - 0.5) * np.sin(angle)
        way = (way - self.rng.uniform(-0.3, 0.3)) * self.side
        self.light *= 1 - depth * np.clip(way + 0.5, 0, 1).astype(np.float32)
        line = np.exp(-((way / max(0.7, 0.004 * self.side)) ** 2)).astype(np.float32)
        self.light *= 1 - self.rng.uniform(-0.1, 0.25) * line

    def write(
        self, digit: Levels, colour: Colour, size: float, angle: float, soft: bool = False
    ) -> tuple[float, float]:
        """Write the one digit, whole and near the middle; where its middle is, in [0, 1]."""
        small = written(digit, size * self.side, angle, self.rng, soft)
        room = [0.5 - (small.shape[axis] / 2 + 1) / self.digit.shape[axis] for axis in (1, 0)]
        x, y = (0.5 + 0.7 * max(reach, 0) * self.rng.uniform(-1, 1) for reach in room)
        self.add(self.place(small, x, y), colour)
        return x, y

    def add(self, cover: Cover, colour: Colour) -> None:
        """Write a whole digit with the cover (H, W)."""
        self.cover(cover * self.texture, colour)
        self.digits.append(cover)
        self.digit = np.maximum(self.digit, cover)

    def add_mark(self, cover: Cover, colour: Colour) -> None:
        """Write what is not a digit, with the cover (H, W)."""
        self.cover(cover * self.texture, colour)
        self.mark = np.maximum(self.mark, cover)

    def add_cut(self, cover: Cover, colour: Colour) -> None:
        """Write most of a digit, with the cover (H, W); whether it is one is ambiguous."""
        self.cover(cover, colour)
        self.cut = np.maximum(self.cut, cover)

    def add_back(self, cover: Cover, depth: float, colour: Colour) -> None:
        """Write on the back of the sheet; `depth` of the cover (H, W) shines through."""
        self.cover(cover * depth, colour)
        self.back = np.maximum(self.back, cover)

    def mottle(self, depth: float) -> None:
        """Light and paper that are uneven by `depth`, as of waves, creases and stains."""
        few = self.rng.integers(2, 16, 2)
        rough = Image.fromarray(self.rng.normal(1, depth, few).astype(np.float32))
        even = rough.resize((self.width, self.height), Image.Resampling.BICUBIC)
        self.light *= np.clip(np.asarray(even), 0.3, 1.5)

    def grain(self, depth: float) -> None:
        """Ink that does not stick everywhere, as of a pencil, chalk or a dry pen."""
        rough = self.rng.uniform(0, 1, self.texture.shape).astype(np.float32)
        self.texture = 1 - depth * blurred(rough, self.rng.uniform(0, 1.5))

    def shot(self, blur: float, noise: float, gain: float | Colour) -> Plane:
        """The picture (H, W, 3) in [0, 1] that a camera takes."""
        seen: Plane = self.sheet * self.light[..., None] * np.asarray(gain, dtype=np.float32)
        if blur > LEAST_BLUR:
            seen = np.stack([blurred(plane, blur) for plane in np.moveaxis(seen, 2, 0)], axis=2)
        grain = self.rng.normal(0, noise, (self.height, self.width, 1)).astype(np.float32)
        speckle = self.rng.normal(0, noise / 3, seen.shape).astype(np.float32)
        shot: Plane = np.clip(seen + grain + speckle, 0, 1)
        return shot


def jpeg(shot: Plane, quality: int) -> bytes:
    """A picture (H, W, 3) in [0, 1] as a JPEG file."""
    file = io.BytesIO()
    Image.fromarray((shot * 255 + 0.5).astype(np.uint8)).save(file, "JPEG", quality=quality)
    return file.getvalue()
