"""The networks that read photos, for the page: read by page/reader-networks.js."""

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from model.checkpoint import READER_WEIGHTS, Checkpoint

MOST = 127  # the highest rounded weight


def rounded_reader(checkpoint: Checkpoint) -> bytes | None:
    """The reader of a checkpoint as a safetensors file; None if it has none.

    Of each layer: `weight` int8, in the shape that it has in the checkpoint, `scale` and `bias`
    (outputs,) float32. A weight is its rounded one times the scale of its output.

    Raises:
        CheckpointError: the weights have changed since the checkpoint was read.
    """
    if READER_WEIGHTS not in checkpoint.manifest.sha256:
        return None
    rounded: dict[str, NDArray[np.int8] | NDArray[np.float32]] = {}
    for name, tensor in safetensors.numpy.load(checkpoint.content(READER_WEIGHTS)).items():
        layer, _, part = name.rpartition(".")
        values = tensor.astype(np.float32)
        if part == "weight":
            scale = np.maximum(abs(values.reshape(len(values), -1)).max(axis=1), 1e-9) / MOST
            steps = scale.reshape(-1, *[1] * (values.ndim - 1))
            rounded[f"{layer}.weight"] = np.rint(values / steps).astype(np.int8)
            rounded[f"{layer}.scale"] = scale.astype(np.float32)
        else:
            rounded[name] = values
    return safetensors.numpy.save(rounded)
