"""What an engine is: it runs the decoder and the encoder of a checkpoint on arrays."""

from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from model.box import place
from model.checkpoint import Checkpoint

EngineName = Literal["onnx", "torch"]
Precision = Literal["int8", "float"]


class EngineError(Exception):
    """The requested engine cannot run here; the message is one full sentence."""


class Engine(Protocol):
    """The decoder and the encoder of a CVAE as functions of arrays.

    An unconditional model takes labels without an entry, (N, 0).
    """

    def __init__(self, checkpoint: Checkpoint, precision: Precision) -> None: ...

    def draw(self, noise: NDArray[np.float32], one_hot: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Whole pictures in the precision of the engine, (N, H, W) uint8 grey levels.

        Args:
            noise: (N, Z) float32.
            one_hot: (N, K) float32, the labels.
        """
        ...

    def decode(
        self, noise: NDArray[np.float32], one_hot: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """What the network draws in full precision, (N, h, w) float32 in [0, 1]; see `draw`."""
        ...

    def encode(
        self, pixels: NDArray[np.float32], one_hot: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Noise (N, Z) float32 from pixels (N, h, w) in [0, 1] and labels (N, K) float32."""
        ...


def pictures_of(
    drawn: NDArray[np.float32] | NDArray[np.uint8], canvas: int | None
) -> NDArray[np.uint8]:
    """What a network draws as pictures of grey levels, ink 255 on paper 0.

    Halves are rounded to even, as the graph of the decoder in 8 bits does.

    Args:
        drawn: (N, h, w), pixels in [0, 1], or grey levels. An array of pixels is used up.
        canvas: side of the pictures in which these are boxes; None: they are pictures.
    """
    if drawn.dtype != np.uint8:
        drawn *= 255
        np.rint(drawn, out=drawn)
    levels = drawn.astype(np.uint8, copy=False)
    return levels if canvas is None else place(levels, canvas)
