"""A trained CVAE to a checkpoint folder: weights, ONNX graphs over them, and a parity check.

The graphs are a few kilobytes: their weights are "external data" inside model.safetensors, by
offset and length, so that graph and weights cannot drift apart. The rounded decoder has its own
8-bit weights, a quarter of the bytes, inside decoder.int8.safetensors in the same way: whoever
draws with them in another language reads them there.
"""

import json
import logging
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import safetensors.numpy
import safetensors.torch
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from model.checkpoint import (
    DECODER,
    ENCODER,
    ROUNDED_DECODER,
    ROUNDED_WEIGHTS,
    WEIGHTS,
    Checkpoint,
    CheckpointError,
    Provenance,
    check_weights,
    write_checkpoint,
)
from model.config import CVAEConfig
from model.cvae import CVAE, Decoder, Encoder
from model.noise import line_noise
from model.quantization import rounded_graph

OPSET = 20
PARITY_TOLERANCE = 1e-4  # of a pixel in [0, 1]; one grey level is 3.9e-3
PARITY_IMAGES = 32
CALIBRATION_DIGITS = 10_000


class _Drawing(nn.Module):
    """The decoder as the checkpoint offers it. Names its weights as model.safetensors does."""

    NAME = "decoder"  # of all its weights, before the first dot

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, noise: Tensor, one_hot: Tensor | None = None) -> Tensor:
        pixels: Tensor = self.decoder(noise, one_hot)
        return pixels


class _Style(nn.Module):
    """The encoder as the checkpoint offers it: the posterior mean of a given picture."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, pixels: Tensor, one_hot: Tensor | None = None) -> Tensor:
        mean: Tensor = self.encoder(pixels, one_hot)[0]
        return mean


def save_cvae(
    folder: Path, cvae: CVAE, provenance: Provenance, documents: Mapping[str, bytes]
) -> Checkpoint:
    """Write `cvae` as a checkpoint folder, atomically, after proving that its graphs agree with it.

    Args:
        folder: the target; a checkpoint that stands there is replaced.
        cvae: the trained network.
        provenance: where it comes from.
        documents: metrics.json, samples.png and README.md.
    Raises:
        CheckpointError: a weight is not finite, or ONNX Runtime draws something else than torch.
        OSError: the disk refuses; the old folder stays as it was.
    """
    cvae = _evaluation_copy(cvae)
    weights = safetensors.torch.save(cvae.state_dict())
    check_weights(weights, cvae.config)
    decoder = _graph(_Drawing(cvae.decoder), _decoder_inputs(cvae.config, 2), "pixels")
    encoder = _graph(_Style(cvae.encoder), _encoder_inputs(cvae.config, 2), "noise")
    files = {
        **documents,
        WEIGHTS: weights,
        DECODER: _over(weights, WEIGHTS, decoder),
        ENCODER: _over(weights, WEIGHTS, encoder),
        **rounded_files(rounded_graph(decoder, _calibration(cvae.config))),
    }
    return write_checkpoint(
        folder, cvae.config, provenance, files, lambda checkpoint: check_parity(cvae, checkpoint)
    )


def rounded_files(rounded: onnx.ModelProto) -> dict[str, bytes]:
    """The two files of a rounded decoder: its weights, and its graph over them."""
    for tensor in rounded.graph.initializer:  # from whichever field it has to raw little-endian
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor), tensor.name))
    weights = safetensors.numpy.save(
        {
            tensor.name: numpy_helper.to_array(tensor)
            for tensor in rounded.graph.initializer
            if tensor.name.startswith(f"{_Drawing.NAME}.")
        }
    )
    return {
        ROUNDED_WEIGHTS: weights,
        ROUNDED_DECODER: _over(weights, ROUNDED_WEIGHTS, rounded),
    }


def check_parity(cvae: CVAE, checkpoint: Checkpoint) -> None:
    """Hold both graphs of a checkpoint against the torch network.

    Raises:
        CheckpointError: they differ by more than `PARITY_TOLERANCE`.
    """
    for graph, module, inputs in (
        (DECODER, _Drawing(cvae.decoder), _decoder_inputs(cvae.config, PARITY_IMAGES)),
        (ENCODER, _Style(cvae.encoder), _encoder_inputs(cvae.config, PARITY_IMAGES)),
    ):
        with torch.inference_mode():
            expected = module(*inputs.values()).numpy()
        session = onnxruntime.InferenceSession(checkpoint.folder / graph)
        (found,) = session.run(None, {name: value.numpy() for name, value in inputs.items()})
        difference = float(np.abs(np.asarray(found) - expected).max())
        # The posterior mean is unbounded, so its tolerance grows with its size.
        if difference > PARITY_TOLERANCE * max(1.0, float(np.abs(expected).max())):
            raise CheckpointError(
                f"The exported {graph} differs from torch by {difference:.2g}, at most "
                f"{PARITY_TOLERANCE} was expected; the checkpoint was not written. "
                "Report this with the versions of torch and onnxruntime."
            )


def _evaluation_copy(cvae: CVAE) -> CVAE:
    copy = CVAE(cvae.config)
    copy.load_state_dict({name: weight.cpu() for name, weight in cvae.state_dict().items()})
    return copy.eval()


def _decoder_inputs(config: CVAEConfig, count: int) -> dict[str, Tensor]:
    noise = torch.from_numpy(line_noise(seed=0, row=0, count=count, size=config.latent).copy())
    return {"noise": noise, **_label_inputs(config, count)}


def _calibration(config: CVAEConfig) -> dict[str, NDArray[np.float32]]:
    """Noise and labels to measure a decoder's activations with."""
    inputs = _decoder_inputs(config, CALIBRATION_DIGITS)
    return {name: value.numpy() for name, value in inputs.items()}


def _encoder_inputs(config: CVAEConfig, count: int) -> dict[str, Tensor]:
    grey = torch.linspace(0, 1, count * config.pixels)
    pixels = grey.reshape(count, config.image_height, config.image_width)
    return {"pixels": pixels, **_label_inputs(config, count)}


def _label_inputs(config: CVAEConfig, count: int) -> dict[str, Tensor]:
    if not config.conditional:
        return {}
    return {"one_hot": torch.eye(config.classes)[torch.arange(count) % config.classes]}


def _graph(module: nn.Module, inputs: Mapping[str, Tensor], output: str) -> onnx.ModelProto:
    """The ONNX graph of `module`, with its weights."""
    batch = torch.export.Dim("N")
    with warnings.catch_warnings():
        # The exporter says that it merged the batch dimensions of the two inputs, as it should.
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            module.eval(),
            tuple(inputs.values()),
            input_names=list(inputs),
            output_names=[output],
            dynamic_shapes=tuple({0: batch} for _ in inputs),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None  # it is None only with dynamo=False
    proto = program.model_proto
    _forget_origin(proto)
    return proto


def _over(weights: bytes, location: str, proto: onnx.ModelProto) -> bytes:
    """The file of a graph whose weights point into the safetensors file `weights`, `location`."""
    graph = onnx.ModelProto()
    graph.CopyFrom(proto)
    _point_into(graph, weights, location)
    return bytes(graph.SerializeToString())


def _forget_origin(proto: onnx.ModelProto) -> None:
    """Drop the exporter's notes (source lines, paths of this machine): the graph stays small."""
    graph = proto.graph
    named = [*graph.node, *graph.initializer, *graph.input, *graph.output, *graph.value_info]
    for item in [proto, graph, *named]:
        item.ClearField("metadata_props")
        item.ClearField("doc_string")
    graph.ClearField("value_info")


def _point_into(proto: onnx.ModelProto, weights: bytes, location: str) -> None:
    """Replace each weight in the graph by its place in the safetensors file.

    A safetensors file is 8 bytes of header length, a JSON header with the byte offsets of each
    tensor, and the tensors, raw and little-endian, as ONNX external data has them too.
    """
    header_size = int.from_bytes(weights[:8], "little")
    header = json.loads(weights[8 : 8 + header_size])
    for tensor in proto.graph.initializer:
        if tensor.name not in header:
            continue  # a constant of the graph, such as the shape of the picture
        entry = header[tensor.name]
        start, end = (8 + header_size + offset for offset in entry["data_offsets"])
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (("location", location), ("offset", start), ("length", end - start)):
            tensor.external_data.add(key=key, value=str(value))
