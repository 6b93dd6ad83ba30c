"""A decoder in 8 bits: a quarter of the bytes, a third of the time.

The first layer stays in float: it is small, and noise has no maximum to scale by. The inputs of the
other layers are rounded by constant scales that are measured once. Dynamic scales, as ONNX Runtime
computes them for each call, would make a digit depend on the other digits of its batch.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from model.config import CVAEConfig

MARGIN = 1.05  # the scale covers 5 % more than the highest activation that was measured
LEVELS = 255  # of an activation: unsigned 8 bits, as nothing is below 0 after a ReLU
WEIGHT_LEVELS = 127  # of a weight, on each side of 0
LEAST = np.float32(1e-12)  # of a scale: none is 0
MOST = np.float32(2**30)  # of a bias in units of its scale
OPSET, IR_VERSION = 20, 10
RUNTIME = "com.microsoft"  # the operators that ONNX Runtime adds

Floats = NDArray[np.float32]
Tensors = dict[str, NDArray[np.generic]]


class Layer(NamedTuple):
    """A dense layer of a decoder: x @ weight + bias."""

    name: str  # the first part of the names of its tensors
    weight: Floats  # (inputs, outputs)
    bias: Floats  # (outputs,)


def rounded_graph(
    weights: Mapping[str, Floats], config: CVAEConfig, inputs: Mapping[str, Floats]
) -> onnx.ModelProto:
    """The graph of a decoder with its weights rounded to 8 bits.

    Its output is `levels`, (N, h, w) uint8: grey levels, ink 255 on paper 0.

    The first layer keeps its float32 `weight` (inputs, outputs) and `bias`. Each other layer has
    `weight_quantized` (inputs, outputs) int8, `weight_scale` (outputs,), `bias` (outputs,) int32
    and `input_scale`: its result is ((x / input_scale, rounded half to even, as uint8) @
    weight_quantized + bias) * input_scale * weight_scale. ONNX Runtime's operator QGemm computes
    that in one step, up to the rounded input of the next layer, in which a ReLU changes nothing:
    what is below 0 becomes level 0.

    Args:
        weights: of the decoder, with the names and shapes that torch gives them.
        config: of the network.
        inputs: noise and labels of many digits, with which the activations are measured.
    """
    first, *others = _layers(weights, config)
    tensors: Tensors = {f"{first.name}weight": first.weight, f"{first.name}bias": first.bias}
    steps = _input_scales([first, *others], inputs)
    for layer, step in zip(others, steps, strict=True):
        tensors |= _rounded(layer, step)
    nodes = [*_first_nodes(first, others[0], list(inputs)), *_product_nodes(others)]
    nodes += _picture_nodes(config)
    tensors |= _picture_tensors(config)
    graph = helper.make_graph(
        nodes,
        "decoder",
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", *values.shape[1:]])
            for name, values in inputs.items()
        ],
        [
            helper.make_tensor_value_info(
                "levels", TensorProto.UINT8, ["N", config.image_height, config.image_width]
            )
        ],
        [numpy_helper.from_array(values, name) for name, values in tensors.items()],
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(RUNTIME, 1)]
    proto = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
    onnx.checker.check_model(proto)
    return proto


def _layers(weights: Mapping[str, Floats], config: CVAEConfig) -> list[Layer]:
    names = [f"decoder.layers.{2 * index}." for index in range(len(config.decoder_sizes) - 1)]
    return [
        Layer(name, np.ascontiguousarray(weights[f"{name}weight"].T), weights[f"{name}bias"])
        for name in names  # of every second module: the others are ReLUs
    ]


def _input_scales(layers: Sequence[Layer], inputs: Mapping[str, Floats]) -> list[np.float32]:
    """The step between two levels of the input of each layer but the first."""
    steps = []
    x = np.concatenate(list(inputs.values()), axis=1)
    for layer in layers[:-1]:
        x = np.maximum(x @ layer.weight + layer.bias, 0)
        steps.append(np.float32(max(x.max(), LEAST) * MARGIN / LEVELS))
    return steps


def _rounded(layer: Layer, step: np.float32) -> Tensors:
    """The tensors of a layer in 8 bits, whose input has this scale."""
    scale = np.abs(layer.weight).max(axis=0) / np.float32(WEIGHT_LEVELS)
    # Where the weights are next to nothing, the bias in units of the scale must still be a number
    # of 32 bits.
    scale = np.maximum(np.maximum(scale, np.abs(layer.bias) / (step * MOST)), LEAST)
    return {
        f"{layer.name}bias": np.rint(layer.bias / (step * scale)).astype(np.int32),
        f"{layer.name}input_scale": np.array(step),
        f"{layer.name}input_zero_point": np.array(0, np.uint8),
        f"{layer.name}weight_quantized": np.rint(layer.weight / scale).astype(np.int8),
        f"{layer.name}weight_scale": scale,
        f"{layer.name}weight_zero_point": np.zeros(len(scale), np.int8),
    }


def _first_nodes(first: Layer, following: Layer, inputs: Sequence[str]) -> list[onnx.NodeProto]:
    """The layer in float, and its result in 8 bits."""
    scale, zero = f"{following.name}input_scale", f"{following.name}input_zero_point"
    return [
        helper.make_node("Concat", inputs, ["input"], axis=1),
        helper.make_node(
            "Gemm", ["input", f"{first.name}weight", f"{first.name}bias"], ["first_sum"]
        ),
        helper.make_node("Relu", ["first_sum"], ["first"]),
        helper.make_node("QuantizeLinear", ["first", scale, zero], [f"{following.name}input"]),
    ]


def _product_nodes(layers: Sequence[Layer]) -> list[onnx.NodeProto]:
    """The layers in 8 bits, each from its input to that of the next; the last to logits."""
    nodes = []
    for layer, following in zip(layers, [*layers[1:], None], strict=True):
        names = ("input", "input_scale", "input_zero_point", "weight_quantized", "weight_scale")
        inputs = [f"{layer.name}{name}" for name in (*names, "weight_zero_point", "bias")]
        output = "logits"
        if following is not None:
            inputs += [f"{following.name}input_scale", f"{following.name}input_zero_point"]
            output = f"{following.name}input"
        nodes.append(helper.make_node("QGemm", inputs, [output], domain=RUNTIME))
    return nodes


def _picture_nodes(config: CVAEConfig) -> list[onnx.NodeProto]:
    """From logits to grey levels, as `model.cvae.pixels_of` has it.

    Stretched pixels are span * mean - overshoot. Here the overshoot is taken from the mean in its
    own unit, and the scale of the levels has the span, which spares a product. Rounding to levels
    also clips.
    """
    steps: list[tuple[str, ...]] = [("Sigmoid",)]
    if config.subpixels > 1:
        steps += [("Reshape", "subpixel_shape"), ("ReduceMean", "subpixel_axis")]  # (N, 1, H * W)
    if config.overshoot:
        steps.append(("Sub", "below"))
    steps += [("QuantizeLinear", "level", "no_level"), ("Reshape", "shape")]
    names = ["logits", *(f"picture_{number}" for number in range(1, len(steps))), "levels"]
    nodes = []
    for (operator, *constants), before, after in zip(steps, names, names[1:], strict=False):
        nodes.append(helper.make_node(operator, [before, *constants], [after]))
    return nodes


def _picture_tensors(config: CVAEConfig) -> Tensors:
    span = 1 + 2 * config.overshoot
    tensors: Tensors = {
        "level": np.array(1 / (LEVELS * span), np.float32),
        "no_level": np.array(0, np.uint8),
        "shape": np.array([-1, config.image_height, config.image_width], np.int64),
    }
    if config.overshoot:
        tensors["below"] = np.array(config.overshoot / span, np.float32)
    if config.subpixels > 1:
        tensors["subpixel_shape"] = np.array([-1, config.subpixels, config.pixels], np.int64)
        tensors["subpixel_axis"] = np.array([1], np.int64)
    return tensors
