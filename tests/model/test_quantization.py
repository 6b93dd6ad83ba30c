import numpy as np
import onnx
import onnxruntime
import pytest
import safetensors.numpy

from model.checkpoint import PRETRAINED, WEIGHTS, read_checkpoint
from model.config import CVAEConfig
from model.noise import line_noise
from model.quantization import rounded_graph

LATENT = 32
Inputs = dict[str, np.ndarray]


def inputs(count: int) -> Inputs:
    rows = [line_noise(1, row, 10, LATENT) for row in range(count // 10)]
    one_hot = np.tile(np.eye(10, dtype=np.float32), (count // 10, 1))
    return {"noise": np.concatenate(rows), "one_hot": one_hot}


def tensors(graph: onnx.ModelProto) -> dict[str, np.ndarray]:
    return {t.name: onnx.numpy_helper.to_array(t) for t in graph.graph.initializer}


def levels(graph: onnx.ModelProto, given: Inputs) -> np.ndarray:
    (found,) = onnxruntime.InferenceSession(graph.SerializeToString()).run(["levels"], given)
    return np.asarray(found)


@pytest.fixture(scope="module")
def weights() -> Inputs:
    return safetensors.numpy.load_file(PRETRAINED / WEIGHTS)


@pytest.fixture(scope="module")
def config() -> CVAEConfig:
    return read_checkpoint(PRETRAINED).config


@pytest.fixture(scope="module")
def rounded(weights: Inputs, config: CVAEConfig) -> onnx.ModelProto:
    return rounded_graph(weights, config, inputs(2000))


def test_rounded_graph_keeps_the_first_layer_and_has_constant_scales(
    rounded: onnx.ModelProto,
) -> None:
    kinds = [node.op_type for node in rounded.graph.node]
    assert "DynamicQuantizeLinear" not in kinds
    assert kinds.index("Gemm") < kinds.index("QuantizeLinear")
    assert kinds.count("QGemm") == 3
    assert rounded.ByteSize() < 0.3 * (PRETRAINED / WEIGHTS).stat().st_size


def test_rounded_graph_clips_activations_above_the_highest_measured(
    rounded: onnx.ModelProto,
) -> None:
    """They end at the highest level, and do not begin again at 0."""
    given = inputs(10)
    wild = [levels(rounded, {**given, "noise": scale * given["noise"]}) for scale in (50, 51)]
    assert abs(wild[0].astype(int) - wild[1]).mean() < 5


def test_rounded_graph_multiplies_as_documented(
    rounded: onnx.ModelProto, config: CVAEConfig
) -> None:
    """The web page uses these names and this rule."""
    part = {name.removeprefix("decoder.layers."): value for name, value in tensors(rounded).items()}
    given = inputs(10)
    x = np.concatenate([given["noise"], given["one_hot"]], axis=1)
    x = np.maximum(x @ part["0.weight"] + part["0.bias"], 0)
    for layer in ("2", "4", "6"):
        step = part[f"{layer}.input_scale"]
        whole = np.clip(np.rint(x / step), 0, 255).astype(np.int32)
        sums = whole @ part[f"{layer}.weight_quantized"].astype(np.int32) + part[f"{layer}.bias"]
        assert not part[f"{layer}.weight_zero_point"].any()
        x = sums * (step * part[f"{layer}.weight_scale"])
    ink = (1 / (1 + np.exp(-x))).reshape(10, config.subpixels, -1).mean(axis=1)
    drawn = (1 + 2 * config.overshoot) * ink - config.overshoot
    expected = np.rint(255 * np.clip(drawn, 0, 1)).reshape(10, 20, 20)
    differences = abs(expected - levels(rounded, given))
    assert differences.max() <= 5
    assert differences.mean() < 0.03


def test_bias_beside_weights_of_next_to_nothing_stays(weights: Inputs, config: CVAEConfig) -> None:
    """As in the corners of pictures, which are paper whatever is drawn."""
    last = "decoder.layers.6"
    changed = {**weights, f"{last}.weight": weights[f"{last}.weight"].copy()}
    subpixels = changed[f"{last}.weight"].reshape(config.subpixels, 400, -1)  # the same memory
    subpixels[:, :200] = 1e-9 * np.sign(subpixels[:, :200])
    changed[f"{last}.bias"] = np.tile(
        np.repeat(np.array([4, 0], np.float32), 200), config.subpixels
    )
    drawn = levels(rounded_graph(changed, config, inputs(100)), inputs(10)).reshape(10, -1)
    assert (drawn[:, :200] == 255).all()
    assert (drawn[:, 200:] < 255).any()
