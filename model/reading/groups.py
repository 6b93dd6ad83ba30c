"""The connected groups of ink in a plane: each digit is one, or a large one with its fragments.

A group that reaches the border of the picture is the edge of something else, unless the digit does.
"""

from itertools import islice
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]
MOST = 64  # groups, before fragments are joined
FRAGMENT = 0.5  # of the ink of the group that it belongs to, at most
LOW = 0.6  # of its height, at most
NEAR = 0.2  # of its height between their boxes, at most
ABOVE = 0.5, 0.3, 0.1  # of two halves of a digit: shared width, and height, and the gap at most
WITHIN = 0.5  # of the fragment's box lies in that of its group: then it may be high or apart
BORDER = 1  # pixels: what is as near to the border of the picture may go on beyond it

Box = tuple[int, int, int, int]  # left, top, right, bottom


class Group(NamedTuple):
    """Ink that belongs together.

    Attributes:
        mask: (H, W), where it is.
        mass: the sum of its ink.
        left, top, right, bottom: its box in pixels; right and bottom are one behind the last.
        cut: whether it reaches the border of the picture.
    """

    mask: Mask
    mass: float
    left: int
    top: int
    right: int
    bottom: int
    cut: bool

    @classmethod
    def of(cls, mask: Mask, ink: Plane, area: Box) -> Self:
        """The group of a mask that is not empty; `area` is the part that the picture covers."""
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        box = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
        space = box[0] - area[0], box[1] - area[1], area[2] - box[2], area[3] - box[3]
        return cls(mask, float(ink[mask].sum()), *box, cut=min(space) <= BORDER)

    @property
    def box(self) -> Box:
        """Its box."""
        return self.left, self.top, self.right, self.bottom

    def overlap(self, left: float, top: float, right: float, bottom: float) -> float:
        """The share of its box, in [0, 1], that lies in another box."""
        wide = min(self.right, right) - max(self.left, left)
        high = min(self.bottom, bottom) - max(self.top, top)
        area = (self.right - self.left) * (self.bottom - self.top)
        return max(wide, 0) * max(high, 0) / area


def find_groups(ink: Plane, area: Box, least: float = 0.5) -> list[Group]:
    """The groups of the pixels of `ink` (H, W) that have at least `least`; most ink first.

    The picture covers `area` of them.

    Of many groups the `MOST` largest are looked at, which bounds the time for any picture.
    """
    mask = ink >= least
    owner = _components(_touching(mask)) * mask
    masses = np.bincount(owner.ravel(), ink.ravel())[1:]
    names = 1 + np.argsort(-masses, kind="stable")[:MOST]
    groups = [Group.of(owner == name, ink, area) for name in names]
    whole: list[Group] = []
    for group in groups:
        for index, larger in enumerate(whole):
            if _belongs(group, larger):
                whole[index] = Group.of(larger.mask | group.mask, ink, area)
                break
        else:
            whole.append(group)
    return whole


def _belongs(small: Group, large: Group) -> bool:
    """Whether a group is a fragment of a larger one, such as the bar of a 5."""
    if small.cut and not large.cut:
        return False
    if _halves(small, large):
        return True
    if small.mass > FRAGMENT * large.mass:
        return False
    if small.overlap(*large.box) >= WITHIN:
        return True
    height = large.bottom - large.top
    apart = max(
        small.left - large.right,
        large.left - small.right,
        small.top - large.bottom,
        large.top - small.bottom,
    )
    return small.bottom - small.top <= LOW * height and apart <= NEAR * height


def _halves(one: Group, other: Group) -> bool:
    """Whether one group continues right above or below the other, as in a 3 that is broken."""
    width, shared, gap = ABOVE
    wide = min(one.right, other.right) - max(one.left, other.left)
    high = min(one.bottom, other.bottom) - max(one.top, other.top)  # negative: the gap
    whole = max(one.bottom, other.bottom) - min(one.top, other.top)
    return (
        one.cut == other.cut
        and wide >= width * min(one.right - one.left, other.right - other.left)
        and -gap * whole <= high <= shared * min(one.bottom - one.top, other.bottom - other.top)
    )


def _touching(mask: Mask) -> Mask:
    """The mask grown by one pixel, which joins what is two pixels apart."""
    return grown(mask.astype(np.float32)) > 0


def grown(plane: Plane) -> Plane:
    """The largest value (H, W) of each pixel and its eight neighbours."""
    padded = np.pad(plane, 1)
    high = np.maximum(np.maximum(padded[:-2], padded[1:-1]), padded[2:])
    largest: Plane = np.maximum(np.maximum(high[:, :-2], high[:, 1:-1]), high[:, 2:])
    return largest


def _components(mask: Mask) -> NDArray[np.intp]:
    """The number (H, W) of the group of each pixel of the mask, from 1; 0 outside of it.

    Runs of pixels in a row are joined with those that they touch in the row above.
    """
    parents: list[int] = []
    runs: list[tuple[int, int, int]] = []  # row, begin, end
    above: list[int] = []
    for row, line in enumerate(mask):
        edges = np.flatnonzero(np.diff(line.astype(np.int8), prepend=0, append=0)).tolist()
        here = []
        first = 0
        for begin, end in zip(edges[::2], edges[1::2], strict=True):
            here.append(len(runs))
            parents.append(len(runs))
            runs.append((row, begin, end))
            while first < len(above) and runs[above[first]][2] < begin:
                first += 1
            for other in islice(above, first, None):
                if runs[other][1] > end:  # those that touch by a corner are joined
                    break
                parents[_root(parents, other)] = _root(parents, len(runs) - 1)
        above = here
    owner = np.zeros(mask.shape, dtype=np.intp)
    names: dict[int, int] = {}
    for index, (row, begin, end) in enumerate(runs):
        owner[row, begin:end] = names.setdefault(_root(parents, index), len(names) + 1)
    return owner


def _root(parents: list[int], index: int) -> int:
    while parents[index] != index:
        parents[index] = parents[parents[index]]
        index = parents[index]
    return index
