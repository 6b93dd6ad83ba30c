"""A decoder's graph in 8-bit products: a quarter of the bytes, a third of the time.

The first layer stays in float: it is small, and noise has no highest value to scale by. What goes
into the others is rounded by a scale that was measured once. Scales found anew for each call, as
ONNX Runtime's own dynamic rounding does, would let a digit depend on the digits drawn with it.
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

MARGIN = 1.05  # above the highest activation that was measured, for those that were not
LEVELS = 255  # of an activation: 8 bits without a sign, as nothing is below 0 after a ReLU


def rounded_graph(
    proto: onnx.ModelProto, inputs: Mapping[str, NDArray[np.float32]]
) -> onnx.ModelProto:
    """A dense decoder's graph with its weights rounded to 8 bits.

    The first layer keeps its float32 `weight` and `bias`. Each other layer has `weight_quantized`
    (inputs, outputs) int8, `weight_scale` (outputs,), `bias` and `input_scale`: its product is
    (x / input_scale, rounded half to even, as uint8) @ weight_quantized * input_scale *
    weight_scale + bias.

    Args:
        proto: the graph with its weights: dense layers with a ReLU between two of them.
        inputs: noise and labels of many digits, to measure the activations with.
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
            nodes_to_exclude=[first, f"{first}_MatMul"],  # before and after it is taken apart
        )
        rounded = onnx.load(path)
    _fix_scales(rounded, peaks)
    onnx.checker.check_model(rounded)
    return rounded


def _highest_activations(
    proto: onnx.ModelProto, inputs: Mapping[str, NDArray[np.float32]]
) -> dict[str, float]:
    """The highest output of each ReLU over all inputs, by its name."""
    names = [node.output[0] for node in proto.graph.node if node.op_type == "Relu"]
    probe = onnx.ModelProto()
    probe.CopyFrom(proto)
    for name in names:
        probe.graph.output.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    found = onnxruntime.InferenceSession(probe.SerializeToString()).run(names, dict(inputs))
    return {name: float(np.max(values)) for name, values in zip(names, found, strict=True)}


def _fix_scales(rounded: onnx.ModelProto, peaks: Mapping[str, float]) -> None:
    """Replace each rounding by a scale found on the fly with one by a constant scale.

    The constants are named after the layer that they go into, as its weights are; some versions of
    ONNX Runtime name those after the transposing too, which readers shall not have to know.
    """
    names: dict[str, str] = {}
    for tensor in rounded.graph.initializer:
        names[tensor.name] = tensor.name.replace("_Transposed", "")
        tensor.name = names[tensor.name]
    nodes = []
    products = [node for node in rounded.graph.node if node.op_type == "MatMulInteger"]
    layers = {
        levels: names[weight].removesuffix("weight_quantized")
        for levels, weight, *_ in (node.input for node in products)
    }
    for node in rounded.graph.node:
        if node.op_type == "DynamicQuantizeLinear":
            values, (levels, scale, zero_point) = node.input[0], node.output
            names[scale] = f"{layers[levels]}input_scale"
            names[zero_point] = f"{layers[levels]}input_zero_point"
            scale, zero_point = names[scale], names[zero_point]
            step = np.float32(max(peaks[values], 1e-6) * MARGIN / LEVELS)
            rounded.graph.initializer.extend(
                [
                    numpy_helper.from_array(np.array(step), scale),
                    numpy_helper.from_array(np.array(0, np.uint8), zero_point),
                ]
            )
            node = helper.make_node("QuantizeLinear", [values, scale, zero_point], [levels])
        node.input[:] = [names.get(name, name) for name in node.input]
        nodes.append(node)
    del rounded.graph.node[:]
    rounded.graph.node.extend(nodes)
