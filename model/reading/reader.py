"""Finds the digits in a picture and reads them: from coarse to fine, then the label of each.

The finder marks ink in a frame of the whole picture. Each connected group of it is looked at again
in a frame of its own, cut out in the form of MNIST, and classified as one of ten labels or as no
digit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.reading.cutout import cut_out
from model.reading.frame import SIDE, Box, Frame, finder_input, framed
from model.reading.groups import Group, find_groups, grown

Plane = NDArray[np.float32]
Network = Callable[[Plane], Plane]
LABELS = 10
MOST = 6  # groups of a picture that are read
LEAST_MASS = 0.1  # of the ink of the largest group
LEAST_SIDE = 3  # pixels of a frame: smaller groups are specks
MOST_IN_LINE = 24
TILES = 3  # along the longer side of a picture of a line, half overlapping
MARGIN = 0.3  # of the longer side of a group, on each side of it
SAME = 0.5  # of a group's box: then it is in the group that is looked at


class Seen(NamedTuple):
    """A group of ink that was looked at.

    Attributes:
        box: in pixels of the picture: left, top, right, bottom.
        digit: (28, 28) float32 in [0, 1], in the form of MNIST.
        shares: (11,) float32, the probability of each label, and that it is not a digit.
    """

    box: Box
    digit: Plane
    shares: Plane

    @property
    def label(self) -> int:
        """The most likely label."""
        return int(self.shares[:LABELS].argmax())

    @property
    def confidence(self) -> float:
        """The probability of that label, in [0, 1]."""
        return float(self.shares[self.label])

    @property
    def no_digit(self) -> float:
        """The probability that it is not a digit."""
        return float(self.shares[LABELS])


@dataclass(frozen=True)
class Reader:
    """The two networks as functions.

    Attributes:
        find: frames (N, 4, SIDE, SIDE), see `finder_input`, to their ink (N, SIDE, SIDE).
        classify: digits (N, 28, 28) to the shares (N, 11) of the labels and of no digit.
    """

    find: Network
    classify: Network

    def read(self, picture: Image.Image) -> list[Seen]:
        """The digits and marks in a picture (mode RGB), those with most ink first."""
        return self._classified(self.cut_outs(picture, self.places(picture)))

    def read_line(self, picture: Image.Image) -> list[Seen]:
        """Likewise in a picture of a line of digits, from left to right."""
        places = sorted(self.line_places(picture))
        return self._classified(self.cut_outs(picture, places))

    def places(self, picture: Image.Image) -> list[Box]:
        """The boxes of the largest groups of ink."""
        frame = framed(picture)
        (ink,) = self.find(finder_input([frame]))
        groups = _kept(find_groups(ink, frame.area), MOST)
        return [frame.placed(group.box) for group in groups]

    def line_places(self, picture: Image.Image) -> list[Box]:
        """Likewise, of digits that may be as small as a thirtieth of the picture."""
        side = max(picture.size) / TILES
        boxes = [
            (left, top, left + min(side, picture.width), top + min(side, picture.height))
            for top in _starts(picture.height, side)
            for left in _starts(picture.width, side)
        ]
        frames = [framed(picture, box) for box in boxes]
        scale = SIDE / side
        ink = np.zeros((round(picture.height * scale), round(picture.width * scale)), np.float32)
        for frame, found in zip(frames, self.find(finder_input(frames)), strict=True):
            part = frame.inside(found)
            left, top = round(frame.box[0] * scale), round(frame.box[1] * scale)
            whole = ink[top : top + part.shape[0], left : left + part.shape[1]]
            np.maximum(whole, part[: whole.shape[0], : whole.shape[1]], out=whole)
        groups = _kept(find_groups(ink, (0, 0, *ink.shape[::-1])), MOST_IN_LINE)
        return [
            (group.left / scale, group.top / scale, group.right / scale, group.bottom / scale)
            for group in groups
        ]

    def cut_outs(self, picture: Image.Image, places: Sequence[Box]) -> list[tuple[Box, Plane]]:
        """What a second look finds at each place: its box, and it in the form of MNIST."""
        frames = [framed(picture, _with_margin(place, picture.size)) for place in places]
        if not frames:
            return []
        found = []
        for place, frame, ink in zip(places, frames, self.find(finder_input(frames)), strict=True):
            own = _own(frame, ink, place)
            if own is not None:
                found.append((frame.placed(own.box), cut_out(picture, frame, _alone(ink, own))))
        return found

    def _classified(self, found: Sequence[tuple[Box, Plane]]) -> list[Seen]:
        if not found:
            return []
        shares = self.classify(np.stack([digit for _, digit in found]))
        return [Seen(box, digit, share) for (box, digit), share in zip(found, shares, strict=True)]


def _starts(length: int, side: float) -> list[float]:
    """Where tiles of `side` pixels begin that cover a length, half overlapping."""
    if length <= side:
        return [0.0]
    count = int(np.ceil(2 * (length - side) / side)) + 1
    step = (length - side) / (count - 1)
    return [index * step for index in range(count)]


def _kept(groups: Sequence[Group], most: int) -> list[Group]:
    """The groups that are not specks beside the largest one."""
    return [
        group
        for group in groups[:most]
        if group.mass >= LEAST_MASS * groups[0].mass
        and max(group.right - group.left, group.bottom - group.top) >= LEAST_SIDE
    ]


def _with_margin(box: Box, size: tuple[int, int]) -> Box:
    """A box with a margin, in whole pixels inside a picture of `size`."""
    left, top, right, bottom = box
    margin = MARGIN * max(right - left, bottom - top)
    return (
        max(0, int(left - margin)),
        max(0, int(top - margin)),
        min(size[0], int(np.ceil(right + margin))),
        min(size[1], int(np.ceil(bottom + margin))),
    )


def _own(frame: Frame, ink: Plane, place: Box) -> Group | None:
    """The ink of a frame at the place that it was made for; None if there is none any more."""
    (left, top, right, bottom), scale = place, frame.scale
    box = (
        (left - frame.box[0]) / scale + frame.columns[0],
        (top - frame.box[1]) / scale + frame.rows[0],
        (right - frame.box[0]) / scale + frame.columns[0],
        (bottom - frame.box[1]) / scale + frame.rows[0],
    )
    reach = 0.06 * SIDE
    wide = box[0] - reach, box[1] - reach, box[2] + reach, box[3] + reach
    groups = [group for group in find_groups(ink, frame.area) if group.overlap(*wide) >= SAME]
    groups = _kept(groups, MOST)
    if not groups:
        return None
    masks = [group.mask for group in groups if groups[0].cut or not group.cut]
    return Group.of(np.any(masks, axis=0), ink, frame.area)


def _alone(ink: Plane, group: Group) -> Plane:
    """The ink without that of other groups."""
    near: Plane = ink * grown(grown(group.mask.astype(np.float32)))
    return near
