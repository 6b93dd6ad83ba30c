"""Part of a picture in the square that the finder takes, and the finder's input."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 96  # pixels of a frame
LEAST_SPREAD = 0.03  # of the levels in [0, 1]: what varies less is noise on bare paper

Box = tuple[float, float, float, float]  # left, top, right, bottom


class Frame(NamedTuple):
    """A part of a picture, scaled into a square and centred there.

    Attributes:
        pixels: (SIDE, SIDE, 3) uint8, 0 outside the part.
        rows: of the square that the part covers: first, and one behind the last.
        columns: likewise.
        box: the part, in pixels of the picture.
    """

    pixels: NDArray[np.uint8]
    rows: tuple[int, int]
    columns: tuple[int, int]
    box: Box

    @property
    def area(self) -> tuple[int, int, int, int]:
        """What the part covers of the square: left, top, right, bottom."""
        return self.columns[0], self.rows[0], self.columns[1], self.rows[1]

    @property
    def scale(self) -> float:
        """Pixels of the picture for one of the frame."""
        return max(self.box[2] - self.box[0], self.box[3] - self.box[1]) / SIDE

    def inside(self, plane: NDArray[np.float32]) -> NDArray[np.float32]:
        """The part (h, w) of a plane (SIDE, SIDE) that the picture covers."""
        return plane[slice(*self.rows), slice(*self.columns)]

    def placed(self, box: Box) -> Box:
        """A box of the frame, in pixels of the picture."""
        left, top = self.box[0], self.box[1]
        across, down = (
            (self.box[2] - left) / (self.columns[1] - self.columns[0]),
            (self.box[3] - top) / (self.rows[1] - self.rows[0]),
        )
        return (
            left + (box[0] - self.columns[0]) * across,
            top + (box[1] - self.rows[0]) * down,
            left + (box[2] - self.columns[0]) * across,
            top + (box[3] - self.rows[0]) * down,
        )


def framed(picture: Image.Image, box: Box | None = None) -> Frame:
    """A box of a picture (mode RGB) as a frame; all of it by default."""
    box = box or (0, 0, *picture.size)
    wide, high = box[2] - box[0], box[3] - box[1]
    scale = SIDE / max(wide, high)
    size = max(1, round(wide * scale)), max(1, round(high * scale))
    resampling = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    pixels = np.zeros((SIDE, SIDE, 3), dtype=np.uint8)
    left, top = (SIDE - size[0]) // 2, (SIDE - size[1]) // 2
    rows, columns = (top, top + size[1]), (left, left + size[0])
    pixels[slice(*rows), slice(*columns)] = np.asarray(picture.resize(size, resampling, box))
    return Frame(pixels, rows, columns, box)


def finder_input(frames: Sequence[Frame]) -> NDArray[np.float32]:
    """(N, 4, SIDE, SIDE): three colours with mean 0 and spread 1, and 1 where the picture is.

    Mean and spread are those of each picture, so that a dim one looks like a bright one.
    """
    planes = np.zeros((len(frames), 4, SIDE, SIDE), dtype=np.float32)
    for plane, frame in zip(planes, frames, strict=True):
        area = slice(*frame.rows), slice(*frame.columns)
        levels = frame.pixels[area].astype(np.float32) * np.float32(1 / 255)
        spread = np.sqrt(levels.var() + LEAST_SPREAD**2)
        plane[:3, *area] = ((levels - levels.mean()) / spread).transpose(2, 0, 1)
        plane[3, *area] = 1
    return planes
