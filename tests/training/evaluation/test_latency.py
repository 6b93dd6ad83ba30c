from model.checkpoint import Checkpoint
from model.onnx_engine import OnnxEngine
from training.evaluation import latency


def test_decode_seconds_names_every_engine(tiny_checkpoint: Checkpoint) -> None:
    engines = {
        "float": (tiny_checkpoint.config, OnnxEngine(tiny_checkpoint)),
        "int8": (tiny_checkpoint.config, OnnxEngine(tiny_checkpoint, "int8")),
    }
    seconds = latency.decode_seconds(engines)
    assert set(seconds) == {"float", "int8"}
    assert all(0 < value < 0.1 for value in seconds.values())
