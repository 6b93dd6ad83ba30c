"""Grey levels as ink on paper."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

TRANSPARENT = "transparent"


@dataclass(frozen=True)
class Palette:
    """The colour of each of the 256 grey levels, from paper (0) to ink (255)."""

    ink: str = "ffffff"  # 6 hex digits
    paper: str = "000000"  # 6 hex digits, or transparent

    @cached_property
    def grey(self) -> bool:
        """Whether levels are their own colours: white ink on black paper, as in MNIST."""
        return (self.ink, self.paper) == ("ffffff", "000000")

    @property
    def transparent(self) -> bool:
        """Whether the background shows through the paper."""
        return self.paper == TRANSPARENT

    @cached_property
    def colours(self) -> NDArray[np.uint8]:
        """(256, 3) uint8 red, green, blue; on transparent paper every level has the ink's."""
        ink = _rgb(self.ink)
        paper = ink if self.transparent else _rgb(self.paper)
        share = np.linspace(0, 1, 256)[:, None]
        return np.rint(paper + share * (ink - paper)).astype(np.uint8)

    @cached_property
    def opacities(self) -> NDArray[np.uint8] | None:
        """(256,) uint8 alpha from clear to opaque; None for opaque paper."""
        return np.arange(256, dtype=np.uint8) if self.transparent else None

    def paint(self, sheet: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The sheet (H, W) in colour: (H, W, 3), or (H, W, 4) on transparent paper, uint8."""
        colours = self.colours
        if self.opacities is not None:
            colours = np.column_stack([colours, self.opacities])
        return colours[sheet]


@lru_cache(maxsize=64)
def palette_of(ink: str, paper: str) -> Palette:
    """The palette of two colours. Cached, because most drawings have the same few colours."""
    return Palette(ink, paper)


def _rgb(hex_digits: str) -> NDArray[np.float64]:
    return np.frombuffer(bytes.fromhex(hex_digits), dtype=np.uint8).astype(np.float64)
