"""The default engine: ONNX Runtime on the CPU."""

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from model.checkpoint import (
    DECODER,
    ENCODER,
    ROUNDED_DECODER,
    ROUNDED_WEIGHTS,
    WEIGHTS,
    Checkpoint,
    CheckpointError,
)
from model.config import CVAEConfig
from model.content import one_line
from model.engine import Precision, pictures_of


class OnnxEngine:
    """Runs the graphs of a checkpoint on the CPU, each call on one thread."""

    def __init__(self, checkpoint: Checkpoint, precision: Precision = "float") -> None:
        self._checkpoint = checkpoint
        self._conditional = checkpoint.config.conditional  # otherwise the graphs take no label
        self._networks: dict[str, onnxruntime.InferenceSession] = {}
        self._drawer = self._network(ROUNDED_DECODER if precision == "int8" else DECODER)

    def draw(self, noise: NDArray[np.float32], one_hot: NDArray[np.float32]) -> NDArray[np.uint8]:
        """See `Engine.draw`."""
        (drawn,) = self._drawer.run(None, self._inputs("noise", noise, one_hot))
        return pictures_of(np.asarray(drawn), self._checkpoint.config.canvas)

    def decode(
        self, noise: NDArray[np.float32], one_hot: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """See `Engine.decode`."""
        decoder = self._network(DECODER)
        (pixels,) = decoder.run(["pixels"], self._inputs("noise", noise, one_hot))
        return np.asarray(pixels)

    def encode(
        self, pixels: NDArray[np.float32], one_hot: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """See `Engine.encode`."""
        encoder = self._network(ENCODER)
        (noise,) = encoder.run(["noise"], self._inputs("pixels", pixels, one_hot))
        return np.asarray(noise)

    def _inputs(
        self, name: str, values: NDArray[np.float32], one_hot: NDArray[np.float32]
    ) -> dict[str, NDArray[np.float32]]:
        return {name: values, "one_hot": one_hot} if self._conditional else {name: values}

    def _network(self, graph: str) -> onnxruntime.InferenceSession:
        """A network, opened on first use: most services only draw."""
        if graph not in self._networks:
            self._networks[graph] = _open_network(self._checkpoint, graph)
        return self._networks[graph]


def _open_network(checkpoint: Checkpoint, graph: str) -> onnxruntime.InferenceSession:
    name = ROUNDED_WEIGHTS if graph == ROUNDED_DECODER else WEIGHTS
    session = open_session(checkpoint, graph, name)
    _check_inputs(session, graph, checkpoint.config)
    return session


def open_session(checkpoint: Checkpoint, graph: str, name: str) -> onnxruntime.InferenceSession:
    """A graph of a checkpoint, ready to run on one thread of the CPU.

    Args:
        checkpoint: has both files.
        graph: name of the file of the graph.
        name: of the file of its weights.
    Raises:
        CheckpointError: ONNX Runtime cannot run it.
    """
    options = onnxruntime.SessionOptions()
    # A few digits take about 0.1 ms, so more threads cost more than they gain, and idle threads
    # would spin on the cores of the web server.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only
    # From memory: ONNX Runtime would map the file, and crash the process if it is overwritten.
    model, weights = checkpoint.content(graph), checkpoint.content(name)
    options.add_external_initializers_from_files_in_memory([name], [weights], [len(weights)])
    try:
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the only common base of ONNX Runtime's exceptions
        raise CheckpointError(
            f"The checkpoint file {graph} cannot be run by ONNX Runtime "
            f"{onnxruntime.__version__}: {one_line(error)}; train it again with this version."
        ) from error
    return session


def _check_inputs(session: onnxruntime.InferenceSession, graph: str, config: CVAEConfig) -> None:
    image = (config.image_height, config.image_width)
    first = ("pixels", image) if graph == ENCODER else ("noise", (config.latent,))
    expected = {first[0]: first[1]}
    if config.conditional:
        expected["one_hot"] = (config.classes,)
    found = {node.name: tuple(node.shape[1:]) for node in session.get_inputs()}
    if found != expected:
        raise CheckpointError(
            f"The checkpoint file {graph} does not fit its config.json: found inputs {found}, "
            f"expected {expected}; train it again with `python -m training`."
        )
