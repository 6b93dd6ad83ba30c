"""An engine: what runs encoder and decoder of a checkpoint. Knows no particular one."""

from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from model.checkpoint import Checkpoint

EngineName = Literal["onnx", "torch"]
Precision = Literal["int8", "float"]


class EngineError(Exception):
    """The engine that is asked for cannot run here; the message is one full sentence."""


class Engine(Protocol):
    """The two halves of a CVAE as functions of arrays."""

    def __init__(self, checkpoint: Checkpoint, precision: Precision) -> None: ...

    def decode(
        self, noise: NDArray[np.float32], one_hot: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Pixels (N, H, W) float32 in [0, 1] from noise (N, Z) and labels (N, K) float32."""
        ...

    def encode(
        self, pixels: NDArray[np.float32], one_hot: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Noise (N, Z) float32 from pixels (N, H, W) in [0, 1] and labels (N, K) float32."""
        ...
