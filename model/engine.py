"""What an engine is: it runs the decoder and the encoder of a checkpoint on arrays."""

from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

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

    def decode(
        self, noise: NDArray[np.float32], one_hot: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """What the network draws, (N, h, w) float32 in [0, 1].

        Args:
            noise: (N, Z) float32.
            one_hot: (N, K) float32, the labels.
        """
        ...

    def encode(
        self, pixels: NDArray[np.float32], one_hot: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Noise (N, Z) float32 from pixels (N, h, w) in [0, 1] and labels (N, K) float32."""
        ...
