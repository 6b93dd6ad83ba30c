from model.checkpoint import Checkpoint
from model.generator import open_generator
from training.evaluation.latency import decode_seconds


def test_decode_seconds_are_measured_for_each_generator(tiny_checkpoint: Checkpoint) -> None:
    seconds = decode_seconds({"a": open_generator(tiny_checkpoint)})
    assert seconds["a"] > 0
