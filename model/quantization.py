"""Quantise a decoder's graph to 8 bits: a quarter of the bytes, a third of the time.

The first layer stays in float: it is small, and noise has no maximum to scale by. The inputs of the
other layers are rounded by constant scales that are measured once. Dynamic scales, as ONNX Runtime
computes them for each call, would make a digit depend on the other digits of its batch.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

MARGIN = 1.05  # the scale covers 5 % more than the highest activation that was measured
LEVELS = 255  # of an activation: unsigned 8 bits, as nothing is below 0 after a ReLU


def rounded_graph(
    proto: onnx.ModelProto, inputs: Mapping[str, NDArray[np.float32]]
) -> onnx.ModelProto:
    """The graph of a dense decoder with its weights rounded to 8 bits.

    The first layer keeps its float32 `weight` and `bias`. Each other layer has `weight_quantized`
    (inputs, outputs) int8, `weight_scale` (outputs,), `bias` and `input_scale`: its product is
    (x / input_scale, rounded half to even, as uint8) @ weight_quantized * input_scale *
    weight_scale + bias.

    Args:
        proto: the graph with its weights: dense layers, a ReLU after each but the last.
        inputs: noise and labels of many digits, with which the activations are measured.
    """
    peaks = _highest_activations(proto, inputs)
    prepared = onnx.shape_inference.infer_shapes(proto)
    helper.set_model_props(prepared, {"onnx.quant.pre_process": "onnxruntime.quant"})
    first = next(node.name for node in prepared.graph.node if node.op_type == "Gemm")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rounded.onnx"
        quantize_dynamic(
            prepared,
            path,
            per_channel=True,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=[first, f"{first}_MatMul"],  # its names before and after the split
        )
        rounded = onnx.load(path)
    _fix_scales(rounded, peaks)
    onnx.checker.check_model(rounded)
    return rounded


def _highest_activations(
    proto: onnx.ModelProto, inputs: Mapping[str, NDArray[np.float32]]
) -> dict[str, float]:
    """The highest value of each ReLU over all inputs, by the name of its output."""
    names = [node.output[0] for node in proto.graph.node if node.op_type == "Relu"]
    probe = onnx.ModelProto()
    probe.CopyFrom(proto)
    for name in names:
        probe.graph.output.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    found = onnxruntime.InferenceSession(probe.SerializeToString()).run(names, dict(inputs))
    return {name: float(np.max(values)) for name, values in zip(names, found, strict=True)}


def _fix_scales(rounded: onnx.ModelProto, peaks: Mapping[str, float]) -> None:
    """Replace each dynamic scale by a constant one.

    The constants are named after their layer, like its weights. Some versions of ONNX Runtime add
    "_Transposed" to names of weights; it is removed, so that names do not depend on the version.
    """
    names: dict[str, str] = {}  # old -> new
    for tensor in rounded.graph.initializer:
        names[tensor.name] = tensor.name.replace("_Transposed", "")
        tensor.name = names[tensor.name]
    layers = {
        node.input[0]: names[node.input[1]].removesuffix("weight_quantized")
        for node in rounded.graph.node
        if node.op_type == "MatMulInteger"
    }  # name of the rounded input -> prefix of the layer's names
    nodes = []
    for node in rounded.graph.node:
        if node.op_type == "DynamicQuantizeLinear":
            values, (levels, scale, zero_point) = node.input[0], node.output
            names[scale] = f"{layers[levels]}input_scale"
            names[zero_point] = f"{layers[levels]}input_zero_point"
            step = np.float32(max(peaks[values], 1e-6) * MARGIN / LEVELS)
            rounded.graph.initializer.extend(
                [
                    numpy_helper.from_array(np.array(step), names[scale]),
                    numpy_helper.from_array(np.array(0, np.uint8), names[zero_point]),
                ]
            )
            nodes.append(helper.make_node("QuantizeLinear", [values, scale, zero_point], [levels]))
        else:
            nodes.append(node)
        nodes[-1].input[:] = [names.get(name, name) for name in nodes[-1].input]
    del rounded.graph.node[:]
    rounded.graph.node.extend(nodes)
