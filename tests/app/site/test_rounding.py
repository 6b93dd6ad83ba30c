import numpy as np
import safetensors.numpy

from app.site.article import rounded_decoder
from app.site.rounding import rounded_weights
from model.checkpoint import Checkpoint


def layer(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights (40, 30) of a layer, a coarse scale of each output, and inputs that go together."""
    weight = rng.standard_normal((40, 30))
    scale = weight.std(axis=0).astype(np.float32)
    inputs = np.maximum(rng.standard_normal((500, 8)) @ rng.standard_normal((8, 40)), 0)
    return weight, scale, inputs


def test_rounding_changes_the_outputs_less_than_each_weight_for_itself() -> None:
    weight, scale, inputs = layer(np.random.default_rng(0))
    levels = rounded_weights(weight, scale, inputs)
    assert levels.dtype == np.int8
    alone = np.rint(weight / scale)
    errors = [abs(inputs @ (rounded * scale - weight)).mean() for rounded in (levels, alone)]
    assert errors[0] < 0.5 * errors[1]


def test_weights_of_an_input_that_no_example_has_are_0() -> None:
    weight, scale, inputs = layer(np.random.default_rng(1))
    inputs[:, [3, 39]] = 0
    levels = rounded_weights(weight, scale, inputs)
    assert not levels[[3, 39]].any()
    assert levels.any(axis=1).sum() == 38


def test_rounded_decoder_has_the_layers_of_the_checkpoint(tiny_checkpoint: Checkpoint) -> None:
    tensors = safetensors.numpy.load(rounded_decoder(tiny_checkpoint))
    layers = {name.rpartition(".")[0] for name in tensors}
    assert set(tensors) == {f"{n}.{part}" for n in layers for part in ("weight", "scale", "bias")}
    first = tensors["decoder.layers.0.weight"]
    assert first.shape[0] == tiny_checkpoint.config.latent + tiny_checkpoint.config.classes
