"""Networks for the page with their weights rounded: small, and read by page/rounded-network.js.

Unlike `decoder.int8.safetensors`, whose activations are 8-bit integers too, only the weights are
rounded here. What these networks show needs no equality with the service.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from model.checkpoint import WEIGHTS, Checkpoint

DEVIATIONS = 4  # standard deviations of an output's weights; greater ones are cut off
ENCODER_STEPS, ARTICLE_STEPS = 5, 7  # the highest rounded weight: fewer are smaller compressed


def rounded_network(
    tensors: Mapping[str, NDArray[np.float32]], layers: Iterable[str], steps: int
) -> bytes:
    """Dense layers as a safetensors file.

    Of each layer: `weight` (inputs, outputs) int8 from -steps to steps, `scale` (outputs,) and
    `bias` (outputs,) float32. The output is input @ weight * scale + bias.

    Args:
        tensors: `weight` (outputs, inputs) and `bias` of each layer, as in a checkpoint.
        layers: their names, without the part after the last dot.
        steps: the highest rounded weight.
    """
    rounded: dict[str, NDArray[np.int8] | NDArray[np.float32]] = {}
    for layer in layers:
        weight = tensors[f"{layer}.weight"]
        highest = np.minimum(abs(weight).max(axis=1), DEVIATIONS * weight.std(axis=1))
        scale = np.maximum(highest, 1e-9) / steps
        levels = np.clip(np.rint(weight / scale[:, None]), -steps, steps).astype(np.int8)
        rounded[f"{layer}.weight"] = np.ascontiguousarray(levels.T)
        rounded[f"{layer}.scale"] = scale.astype(np.float32)
        rounded[f"{layer}.bias"] = tensors[f"{layer}.bias"]
    return safetensors.numpy.save(rounded)


def rounded_part(
    checkpoint: Checkpoint, part: str, steps: int, used: NDArray[np.bool_] | None = None
) -> bytes:
    """The encoder or the decoder of a checkpoint, see `rounded_network`.

    Args:
        checkpoint: with the weights.
        part: encoder or decoder.
        steps: the highest rounded weight.
        used: (inputs,) of the first layer; the weights of the others become 0, which is smaller.
    Raises:
        CheckpointError: the weights have changed since the checkpoint was read.
    """
    tensors = safetensors.numpy.load(checkpoint.content(WEIGHTS))
    if used is not None:
        first = f"{part}.layers.0.weight"
        tensors[first] = tensors[first] * used
    names = {name.rpartition(".")[0] for name in tensors if name.startswith(f"{part}.")}
    return rounded_network(tensors, sorted(names), steps)
