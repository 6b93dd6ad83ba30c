import numpy as np
import onnx
import onnxruntime
import pytest

from model.checkpoint import DECODER, PRETRAINED
from model.noise import latents
from model.rounding import rounded_graph

LATENT = 24
Inputs = dict[str, np.ndarray]


def inputs(count: int) -> Inputs:
    rows = [latents(1, row, 10, LATENT) for row in range(count // 10)]
    one_hot = np.tile(np.eye(10, dtype=np.float32), (count // 10, 1))
    return {"noise": np.concatenate(rows), "one_hot": one_hot}


@pytest.fixture(scope="module")
def rounded() -> bytes:
    return rounded_graph(onnx.load(PRETRAINED / DECODER), inputs(2000))


def test_rounded_graph_scales_by_constants(rounded: bytes) -> None:
    graph = onnx.load_from_string(rounded).graph
    kinds = [node.op_type for node in graph.node]
    assert "DynamicQuantizeLinear" not in kinds
    assert kinds.count("QuantizeLinear") == kinds.count("MatMulInteger") == 3
    assert len(rounded) < 0.3 * (PRETRAINED / "model.safetensors").stat().st_size


def test_rounded_graph_first_layer_stays_float(rounded: bytes) -> None:
    graph = onnx.load_from_string(rounded).graph
    kinds = [node.op_type for node in graph.node]
    assert kinds.index("Relu") < kinds.index("QuantizeLinear")


def test_rounded_graph_clips_what_is_above_the_highest_measured(rounded: bytes) -> None:
    session = onnxruntime.InferenceSession(rounded)
    wild = {name: values * (20 if name == "noise" else 1) for name, values in inputs(10).items()}
    (pixels,) = session.run(None, wild)
    assert np.isfinite(np.asarray(pixels)).all()
    assert 0 <= np.asarray(pixels).min() <= np.asarray(pixels).max() <= 1
