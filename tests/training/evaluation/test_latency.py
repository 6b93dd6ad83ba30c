from model.checkpoint import Checkpoint
from model.generator import open_generator
from training.evaluation.latency import decode_seconds


def test_decode_seconds_are_measured_for_each_generator(tiny_checkpoint: Checkpoint) -> None:
    generators = {
        "float": open_generator(tiny_checkpoint),
        "int8": open_generator(tiny_checkpoint, precision="int8"),
    }
    seconds = decode_seconds(generators)
    assert seconds.keys() == generators.keys()
    assert all(value > 0 for value in seconds.values())
