"""Networks for the page with their weights rounded: small, and read by page/rounded-network.js.

Unlike `decoder.int8.safetensors`, whose activations are 8-bit integers too, only the weights are
rounded here. What these networks show needs no equality with the service.
"""

from typing import NamedTuple

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from model.checkpoint import WEIGHTS, Checkpoint

MOST = 127  # the highest rounded weight
DAMPING = 0.05  # of the mean square of an input: for inputs that no example has
BLOCK = 32  # weights of each output that are rounded before the others make up for them

Floats = NDArray[np.float64]


class Steps(NamedTuple):
    """How coarsely weights are rounded, in standard deviations of an output's weights.

    Attributes:
        hidden: of the layers before the last.
        last: of those that end the network, whose errors nothing makes up for.
    """

    hidden: float
    last: float


ENCODER_STEPS, ARTICLE_STEPS = Steps(1.5, 0.5), Steps(0.6, 0.6)


def rounded_part(
    checkpoint: Checkpoint, part: str, steps: Steps, inputs: NDArray[np.floating]
) -> bytes:
    """The dense layers of an encoder or a decoder as a safetensors file.

    Of each layer: `weight` (inputs, outputs) int8, `scale` (outputs,) and `bias` (outputs,)
    float32. The output is input @ weight * scale + bias. A weight that no example uses is 0.

    Args:
        checkpoint: with the weights.
        part: encoder or decoder.
        steps: how coarse; coarser is smaller compressed.
        inputs: (N, I) examples of what the network is given.
    Raises:
        CheckpointError: the weights have changed since the checkpoint was read.
    """
    tensors = safetensors.numpy.load(checkpoint.content(WEIGHTS))
    names = {name.rpartition(".")[0] for name in tensors if name.startswith(f"{part}.")}
    layers = sorted((name for name in names if ".layers." in name), key=_index)
    ends = sorted(names - {*layers}) or [layers.pop()]
    rounded: dict[str, NDArray[np.int8] | NDArray[np.float32]] = {}
    values = inputs.astype(float)
    for name in [*layers, *ends]:
        weight, bias = tensors[f"{name}.weight"].T.astype(float), tensors[f"{name}.bias"]
        step = steps.last if name in ends else steps.hidden
        scale = np.maximum(step * weight.std(axis=0), 1e-9).astype(np.float32)
        levels = rounded_weights(weight, scale, values)
        rounded |= {f"{name}.weight": levels, f"{name}.scale": scale, f"{name}.bias": bias}
        if name not in ends:
            values = np.maximum(values @ (levels * scale.astype(float)) + bias, 0)
    return safetensors.numpy.save(rounded)


def rounded_weights(weight: Floats, scale: NDArray[np.float32], inputs: Floats) -> NDArray[np.int8]:
    """The weights (I, O) of a layer in multiples of `scale` (O,), so that its outputs change least.

    The weights of one input are rounded after those of another, and what the outputs thereby lose
    is made up for by the inputs that are still to come, as far as these go with it in the examples.

    Source: Frantar et al., "GPTQ", arXiv:2210.17323. In float64, so that the bytes are the same on
    any processor.

    Args:
        weight: of each input and output.
        scale: what a rounded weight of 1 stands for.
        inputs: (N, I) examples.
    """
    size = len(weight)
    used: NDArray[np.bool_] = np.any(inputs, axis=0)
    products = inputs.T @ inputs
    products += DAMPING * np.trace(products) / size * np.eye(size)
    shares = np.linalg.cholesky(np.linalg.inv(products)).T
    left = weight * used[:, None]
    levels = np.zeros(weight.shape, dtype=np.int8)
    for start in range(0, size, BLOCK):
        end = min(start + BLOCK, size)
        errors = np.zeros((end - start, weight.shape[1]))
        for k in range(start, end):
            levels[k] = np.clip(np.rint(left[k] / scale), -MOST, MOST)
            errors[k - start] = (left[k] - levels[k] * scale.astype(float)) / shares[k, k]
            left[k + 1 : end] -= shares[k, k + 1 : end, None] * errors[k - start]
        left[end:] -= shares[start:end, end:].T @ errors
    return levels


def _index(name: str) -> int:
    return int(name.rpartition(".")[2])
