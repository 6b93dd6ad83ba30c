import numpy as np
import onnx
import onnxruntime
import pytest

from model.checkpoint import DECODER, PRETRAINED, read_checkpoint
from model.noise import line_noise
from model.quantization import rounded_graph

LATENT = 32
Inputs = dict[str, np.ndarray]


def inputs(count: int) -> Inputs:
    rows = [line_noise(1, row, 10, LATENT) for row in range(count // 10)]
    one_hot = np.tile(np.eye(10, dtype=np.float32), (count // 10, 1))
    return {"noise": np.concatenate(rows), "one_hot": one_hot}


@pytest.fixture(scope="module")
def rounded() -> onnx.ModelProto:
    return rounded_graph(onnx.load(PRETRAINED / DECODER), inputs(2000))


def test_rounded_graph_keeps_the_first_layer_and_has_constant_scales(
    rounded: onnx.ModelProto,
) -> None:
    kinds = [node.op_type for node in rounded.graph.node]
    assert "DynamicQuantizeLinear" not in kinds
    assert kinds.index("Relu") < kinds.index("QuantizeLinear")
    assert kinds.count("QuantizeLinear") == kinds.count("MatMulInteger") == 3
    assert rounded.ByteSize() < 0.3 * (PRETRAINED / "model.safetensors").stat().st_size


def test_rounded_graph_clips_activations_above_the_highest_measured(
    rounded: onnx.ModelProto,
) -> None:
    session = onnxruntime.InferenceSession(rounded.SerializeToString())
    wild = {name: values * (20 if name == "noise" else 1) for name, values in inputs(10).items()}
    (pixels,) = session.run(None, wild)
    assert np.isfinite(np.asarray(pixels)).all()
    assert 0 <= np.asarray(pixels).min() <= np.asarray(pixels).max() <= 1


def test_rounded_graph_multiplies_as_documented(rounded: onnx.ModelProto) -> None:
    """The web page uses these names and this rule."""
    weights = {
        tensor.name.removeprefix("decoder.layers."): onnx.numpy_helper.to_array(tensor)
        for tensor in rounded.graph.initializer
    }
    given = inputs(10)
    x = np.concatenate([given["noise"], given["one_hot"]], axis=1)
    x = np.maximum(x @ weights["0.weight"] + weights["0.bias"], 0)
    for layer in ("2", "4", "6"):
        step = weights[f"{layer}.input_scale"]
        levels = np.clip(np.rint(x / step), 0, 255).astype(np.int32)
        product = levels @ weights[f"{layer}.weight_quantized"].astype(np.int32)
        assert not weights[f"{layer}.weight_zero_point"].any()
        x = product * (step * weights[f"{layer}.weight_scale"]) + weights[f"{layer}.bias"]
        x = x if layer == "6" else np.maximum(x, 0)
    (pixels,) = onnxruntime.InferenceSession(rounded.SerializeToString()).run(None, given)
    expected = np.asarray(pixels).reshape(10, -1)
    reach = read_checkpoint(PRETRAINED).config.overshoot
    drawn = np.clip((1 + 2 * reach) / (1 + np.exp(-x)) - reach, 0, 1)
    np.testing.assert_allclose(drawn, expected, atol=0.02)
    assert np.abs(drawn - expected).mean() < 1e-4
