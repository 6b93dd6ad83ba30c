"""Writes the finder and the classifier as the files of a checkpoint."""

import copy
import json
from collections.abc import Mapping

import numpy as np
import onnx
import onnxruntime
import safetensors.torch
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from model.checkpoint import (
    CLASSIFIER,
    FINDER,
    READER_WEIGHTS,
    Checkpoint,
    CheckpointError,
)
from model.export import export_graph, external_graph, with_facts_in_order
from model.reading.cutout import CELL
from model.reading.frame import SIDE
from model.reading.networks import network_of
from model.reading.reader import Network
from training.checkpoint.export import rewrite_checkpoint
from training.photos.classifier import Classifier
from training.photos.finder import Finder

TOLERANCE = 2e-3  # of a probability


class _FinderExport(nn.Module):
    """The finder as exported: frames to ink in [0, 1], 0 outside the picture."""

    def __init__(self, finder: nn.Module) -> None:
        super().__init__()
        self.finder = finder

    def forward(self, frames: Tensor) -> Tensor:
        return torch.sigmoid(self.finder(frames)) * frames[:, 3]


class _ClassifierExport(nn.Module):
    """The classifier as exported: digits to probabilities."""

    def __init__(self, classifier: nn.Module) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, digits: Tensor) -> Tensor:
        return torch.softmax(self.classifier(digits), dim=1)


def reader_files(
    finder: Finder, classifier: Classifier, facts: Mapping[str, object]
) -> dict[str, bytes]:
    """The three files of a reader.

    Args:
        finder: trained.
        classifier: trained and calibrated.
        facts: the origin of both, kept in the file of the weights.
    Raises:
        CheckpointError: ONNX Runtime and torch differ.
    """
    networks = {
        FINDER: _finder_graph(finder),
        CLASSIFIER: (
            _ClassifierExport(_rounded(classifier)),
            {"digits": torch.zeros(2, CELL, CELL)},
            "shares",
        ),
    }
    tensors = {
        name: tensor.half().contiguous()
        for module, _, _ in networks.values()
        for name, tensor in module.state_dict().items()
    }
    notes = {name: json.dumps(fact) for name, fact in facts.items()}
    weights = with_facts_in_order(safetensors.torch.save(tensors, notes))
    files, rng = {READER_WEIGHTS: weights}, torch.Generator().manual_seed(0)
    for name, (module, inputs, output) in networks.items():
        graph = _with_halves(export_graph(module, inputs, output))
        files[name] = external_graph(weights, READER_WEIGHTS, graph)
        (zeros,) = inputs.values()
        _check_parity(name, files, module, torch.rand(zeros.shape, generator=rng))
    return files


def finder_network(finder: Finder) -> Network:
    """The finder as it will run in the service, several times as fast as in torch."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    graph = export_graph(*_finder_graph(finder))
    return network_of(onnxruntime.InferenceSession(graph.SerializeToString(), options))


def _finder_graph(finder: Finder) -> tuple[nn.Module, dict[str, Tensor], str]:
    """The module to export, an example of its input, and the name of its output."""
    return _FinderExport(_rounded(finder)), {"frames": torch.zeros(2, 4, SIDE, SIDE)}, "ink"


def _rounded(network: nn.Module) -> nn.Module:
    """A copy without batch normalisation, whose weights float16 can hold."""
    copied = copy.deepcopy(network).eval()
    for part in copied.modules():
        if isinstance(part, nn.Sequential):
            for index, layer in enumerate(part):
                if isinstance(layer, nn.BatchNorm2d):
                    before = part[index - 1]
                    assert isinstance(before, nn.Conv2d)
                    part[index - 1] = fuse_conv_bn_eval(before, layer)
                    part[index] = nn.Identity()
    return copied.half().float()


def _with_halves(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The graph with weights in float16, each cast to float32 when a session is opened."""
    graph = proto.graph
    for tensor in list(graph.initializer):
        if tensor.data_type != onnx.TensorProto.FLOAT or "." not in tensor.name:
            continue  # a constant of the graph
        whole = f"{tensor.name}.float32"
        for node in graph.node:
            node.input[:] = [whole if name == tensor.name else name for name in node.input]
        half = numpy_helper.to_array(tensor).astype(np.float16)
        tensor.CopyFrom(numpy_helper.from_array(half, tensor.name))
        cast = onnx.helper.make_node("Cast", [tensor.name], [whole], to=onnx.TensorProto.FLOAT)
        graph.node.insert(0, cast)
    return proto


def _check_parity(name: str, files: Mapping[str, bytes], module: nn.Module, planes: Tensor) -> None:
    options = onnxruntime.SessionOptions()
    weights = files[READER_WEIGHTS]
    options.add_external_initializers_from_files_in_memory(
        [READER_WEIGHTS], [weights], [len(weights)]
    )
    found = network_of(onnxruntime.InferenceSession(files[name], options))(planes.numpy())
    with torch.inference_mode():
        difference = float(np.abs(found - module.eval()(planes).numpy()).max())
    if not difference <= TOLERANCE:
        raise CheckpointError(
            f"The exported {name} differs from torch by {difference:.2g}, expected at most "
            f"{TOLERANCE}; nothing was written. Report this with the versions of torch and "
            "onnxruntime."
        )


def add_reader(checkpoint: Checkpoint, files: Mapping[str, bytes]) -> Checkpoint:
    """Write a checkpoint folder again, with these files of a reader.

    Raises:
        CheckpointError: the files are not those of a checkpoint.
        OSError: writing failed; the old folder is unchanged.
    """
    return rewrite_checkpoint(checkpoint, files)
