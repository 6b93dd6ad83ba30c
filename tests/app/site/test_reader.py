import numpy as np
import safetensors.numpy

from app.site.reader import MOST, rounded_reader
from model.checkpoint import PRETRAINED, READER_WEIGHTS, Checkpoint, read_checkpoint


def test_rounded_reader_has_each_layer_within_half_a_step() -> None:
    content = rounded_reader(read_checkpoint(PRETRAINED))
    assert content is not None
    rounded = safetensors.numpy.load(content)
    tensors = safetensors.numpy.load_file(PRETRAINED / READER_WEIGHTS)
    assert set(tensors) == {name for name in rounded if not name.endswith(".scale")}
    for name, tensor in tensors.items():
        if name.endswith(".bias"):
            assert np.array_equal(rounded[name], tensor.astype(np.float32))
            continue
        scale = rounded[name.replace(".weight", ".scale")]
        steps = scale.reshape(-1, *[1] * (tensor.ndim - 1))
        assert rounded[name].shape == tensor.shape
        assert abs(rounded[name]).max() == MOST
        assert (abs(rounded[name] * steps - tensor) <= 0.51 * steps).all()


def test_checkpoint_without_a_reader_has_no_rounded_one(tiny_checkpoint: Checkpoint) -> None:
    assert rounded_reader(tiny_checkpoint) is None
