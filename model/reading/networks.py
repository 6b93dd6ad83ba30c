"""The reader of a checkpoint: its two networks in ONNX Runtime."""

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from model.checkpoint import CLASSIFIER, FINDER, READER, READER_WEIGHTS, Checkpoint, CheckpointError
from model.onnx_engine import open_session
from model.reading.cutout import CELL
from model.reading.frame import SIDE
from model.reading.reader import Network, Reader

BATCH = 2  # inputs that are computed together: more take 2.5 MB each and no less time


def open_reader(checkpoint: Checkpoint) -> Reader | None:
    """The reader of a checkpoint; None if it has none.

    Raises:
        CheckpointError: its networks cannot be run, or take other inputs.
    """
    if any(name not in checkpoint.manifest.sha256 for name in READER):
        return None
    return Reader(
        _network(checkpoint, FINDER, (4, SIDE, SIDE)), _network(checkpoint, CLASSIFIER, (CELL,) * 2)
    )


def _network(checkpoint: Checkpoint, graph: str, shape: tuple[int, ...]) -> Network:
    session = open_session(checkpoint, graph, READER_WEIGHTS)
    found = [tuple(node.shape[1:]) for node in session.get_inputs()]
    if found != [shape]:
        raise CheckpointError(
            f"The checkpoint file {graph} does not fit this release: found inputs {found}, "
            f"expected {[shape]}; train it again with `python -m training.photos`."
        )
    return network_of(session)


def network_of(session: onnxruntime.InferenceSession) -> Network:
    """A session with one input and one output as a function of arrays."""
    name = session.get_inputs()[0].name

    def run(planes: NDArray[np.float32]) -> NDArray[np.float32]:
        starts = range(0, len(planes), BATCH)
        parts = [session.run(None, {name: planes[start : start + BATCH]})[0] for start in starts]
        return np.concatenate(parts)

    return run
