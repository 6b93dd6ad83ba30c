"""Writes a trained CVAE as a checkpoint folder, after checking its ONNX graphs against torch.

A graph is a few kilobytes: its weights are ONNX external data, by offset and length inside
model.safetensors, so that graph and weights cannot disagree. The rounded decoder refers to its own
8-bit weights in decoder.int8.safetensors in the same way; the web page reads them from there.
"""

import json
import logging
import warnings
from collections.abc import Mapping, Sequence
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
    write_checkpoint,
)
from model.config import CVAEConfig
from model.content import check_weights
from model.cvae import CVAE, Decoder, Encoder
from model.noise import line_noise
from model.quantization import OPSET, rounded_graph

PARITY_TOLERANCE = 1e-4  # of a pixel in [0, 1]; one grey level is 3.9e-3
PARITY_IMAGES = 32
CALIBRATION_DIGITS = 10_000


class _DecoderExport(nn.Module):
    """The decoder as exported. Its weights have the names that they have in model.safetensors."""

    NAME = "decoder"  # the first part of the names of its weights

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, noise: Tensor, one_hot: Tensor | None = None) -> Tensor:
        pixels: Tensor = self.decoder(noise, one_hot)
        return pixels


class _EncoderExport(nn.Module):
    """The encoder as exported: pictures to posterior means."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, pixels: Tensor, one_hot: Tensor | None = None) -> Tensor:
        mean: Tensor = self.encoder(pixels, one_hot)[0]
        return mean


def save_cvae(
    folder: Path,
    cvae: CVAE,
    provenance: Provenance,
    documents: Mapping[str, bytes],
    label_names: Sequence[str] | None = None,
) -> Checkpoint:
    """Write `cvae` as a checkpoint folder atomically, after comparing its graphs with it.

    Args:
        folder: the target; an existing checkpoint there is replaced.
        cvae: the trained network.
        provenance: the origin of the checkpoint.
        documents: metrics.json, samples.png and README.md.
        label_names: of the labels 0 .. K - 1; None: their numbers.
    Raises:
        CheckpointError: a weight is not finite, or ONNX Runtime and torch differ.
        OSError: writing failed; the old folder is unchanged.
    """
    cvae = _evaluation_copy(cvae)
    weights = safetensors.torch.save(cvae.state_dict())
    check_weights(WEIGHTS, weights, cvae.config.weight_shapes())
    decoder = export_graph(_DecoderExport(cvae.decoder), _decoder_inputs(cvae.config, 2), "pixels")
    encoder = export_graph(_EncoderExport(cvae.encoder), _encoder_inputs(cvae.config, 2), "noise")
    files = {
        **documents,
        WEIGHTS: weights,
        DECODER: external_graph(weights, WEIGHTS, decoder),
        ENCODER: external_graph(weights, WEIGHTS, encoder),
        **rounded_files(cvae),
    }
    return write_checkpoint(
        folder,
        cvae.config,
        provenance,
        files,
        lambda checkpoint: check_parity(cvae, checkpoint),
        label_names,
    )


def rounded_files(cvae: CVAE) -> dict[str, bytes]:
    """The two files of the rounded decoder: its weights, and its graph, which refers to them.

    The file of the weights also says how pixels and pictures come from the last layer, for the
    decoder of the web page, which reads no other file.
    """
    config = cvae.config
    facts = {}
    if config.overshoot:
        facts["overshoot"] = str(config.overshoot)
    if config.subpixels > 1:
        facts["subpixels"] = str(config.subpixels)
    if config.canvas is not None:
        facts["canvas"] = str(config.canvas)
    weights = {name: weight.numpy() for name, weight in cvae.state_dict().items()}
    rounded = rounded_graph(weights, config, _calibration(config))
    tensors = {
        tensor.name: numpy_helper.to_array(tensor)
        for tensor in rounded.graph.initializer
        if tensor.name.startswith(f"{_DecoderExport.NAME}.")
    }
    content = with_facts_in_order(safetensors.numpy.save(tensors, facts or None))
    return {
        ROUNDED_WEIGHTS: content,
        ROUNDED_DECODER: external_graph(content, ROUNDED_WEIGHTS, rounded),
    }


def check_parity(cvae: CVAE, checkpoint: Checkpoint) -> None:
    """Compare both graphs of a checkpoint with the torch network.

    Raises:
        CheckpointError: they differ by more than `PARITY_TOLERANCE`.
    """
    for graph, module, inputs in (
        (DECODER, _DecoderExport(cvae.decoder), _decoder_inputs(cvae.config, PARITY_IMAGES)),
        (ENCODER, _EncoderExport(cvae.encoder), _encoder_inputs(cvae.config, PARITY_IMAGES)),
    ):
        with torch.inference_mode():
            expected = module(*inputs.values()).numpy()
        session = onnxruntime.InferenceSession(checkpoint.folder / graph)
        (found,) = session.run(None, {name: value.numpy() for name, value in inputs.items()})
        difference = float(np.abs(np.asarray(found) - expected).max())
        # The posterior mean is unbounded, so the tolerance is relative where it is large.
        if difference > PARITY_TOLERANCE * max(1.0, float(np.abs(expected).max())):
            raise CheckpointError(
                f"The exported {graph} differs from torch by {difference:.2g}, expected at most "
                f"{PARITY_TOLERANCE}; the checkpoint was not written. "
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
    """Noise and labels with which a decoder's activations are measured."""
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


def export_graph(module: nn.Module, inputs: Mapping[str, Tensor], output: str) -> onnx.ModelProto:
    """The ONNX graph of `module`, with its weights.

    Args:
        module: what to export; its weights keep their names.
        inputs: its arguments by name, with two examples each.
        output: name of its result.
    """
    batch = torch.export.Dim("N")
    with warnings.catch_warnings():
        # The exporter warns that it merged the batch dimensions of the two inputs, as intended.
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
    _strip_metadata(proto)
    return proto


def external_graph(weights: bytes, location: str, proto: onnx.ModelProto) -> bytes:
    """The file of a graph that refers to its weights in the safetensors file `location`.

    Args:
        weights: the content of that file.
        location: its name.
        proto: the graph, with its weights.
    """
    graph = onnx.ModelProto()
    graph.CopyFrom(proto)
    _refer_to_weights(graph, weights, location)
    return bytes(graph.SerializeToString())


def with_facts_in_order(weights: bytes) -> bytes:
    """A safetensors file with its metadata in the order of their names, for equal bytes each time.

    The library writes metadata in hash order, which differs from process to process.
    """
    size = int.from_bytes(weights[:8], "little")
    header = json.loads(weights[8 : 8 + size])
    if "__metadata__" in header:
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    return weights[:8] + text.ljust(size) + weights[8 + size :]


def _strip_metadata(proto: onnx.ModelProto) -> None:
    """Remove the exporter's notes, such as source lines and paths of this machine."""
    graph = proto.graph
    named = [*graph.node, *graph.initializer, *graph.input, *graph.output, *graph.value_info]
    for item in [proto, graph, *named]:
        item.ClearField("metadata_props")
        item.ClearField("doc_string")
    graph.ClearField("value_info")


def _refer_to_weights(proto: onnx.ModelProto, weights: bytes, location: str) -> None:
    """Replace each weight in the graph by a reference into the safetensors file.

    A safetensors file is 8 bytes of header length, a JSON header with the byte offsets of each
    tensor, and the tensors as raw little-endian bytes, which is also the format of ONNX external
    data.
    """
    header_size = int.from_bytes(weights[:8], "little")
    header = json.loads(weights[8 : 8 + header_size])
    for tensor in proto.graph.initializer:
        if tensor.name not in header:
            continue  # a constant of the graph, such as the shape of a picture
        entry = header[tensor.name]
        start, end = (8 + header_size + offset for offset in entry["data_offsets"])
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (("location", location), ("offset", start), ("length", end - start)):
            tensor.external_data.add(key=key, value=str(value))
