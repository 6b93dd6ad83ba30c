"""Grey levels as ink on paper."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

TRANSPARENT = "transparent"


class Palette(NamedTuple):
    """The colour of each of the 256 grey levels, from paper (0) to ink (255)."""

    ink: str = "ffffff"  # 6 hex digits
    paper: str = "000000"  # 6 hex digits, or transparent

    @property
    def grey(self) -> bool:
        """Whether levels are their own colours: white ink on black paper, as in MNIST."""
        return self == ("ffffff", "000000")

    @property
    def transparent(self) -> bool:
        """Whether the background shows through the paper."""
        return self.paper == TRANSPARENT

    def colours(self) -> NDArray[np.uint8]:
        """(256, 3) uint8 red, green, blue; on transparent paper every level has the ink's."""
        ink = _rgb(self.ink)
        paper = ink if self.transparent else _rgb(self.paper)
        share = np.linspace(0, 1, 256)[:, None]
        return np.rint(paper + share * (ink - paper)).astype(np.uint8)

    def opacities(self) -> NDArray[np.uint8] | None:
        """(256,) uint8 alpha from clear to opaque; None for opaque paper."""
        return np.arange(256, dtype=np.uint8) if self.transparent else None

    def paint(self, sheet: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The sheet (H, W) in colour: (H, W, 3), or (H, W, 4) on transparent paper, uint8."""
        colours, opacities = self.colours(), self.opacities()
        if opacities is not None:
            colours = np.column_stack([colours, opacities])
        return colours[sheet]


def _rgb(hex_digits: str) -> NDArray[np.float64]:
    return np.frombuffer(bytes.fromhex(hex_digits), dtype=np.uint8).astype(np.float64)
