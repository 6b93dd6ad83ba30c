"""Running a trained decoder: labels and noise in, grey levels out. Knows no HTTP and no torch.

Two engines do the arithmetic: ONNX Runtime by default, torch (`model.torch_engine`) as the
reference and for GPUs. Both do it in one of two precisions: float, or int8 with the decoder's
products in 8 bits, which is faster and differs by less than a grey level on average.
"""

import importlib
from typing import Literal, Protocol

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

PIECE = 64  # digits decoded at a time: more would leave the processor's cache
EngineName = Literal["onnx", "torch"]
Precision = Literal["int8", "float"]


class EngineError(Exception):
    """The engine that is asked for cannot run here; the message is one full sentence."""


class Engine(Protocol):
    """The two halves of a CVAE as functions of arrays."""

    def __init__(self, checkpoint: Checkpoint, precision: Precision) -> None: ...

    def decode(
        self, noise: NDArray[np.float32], one_hot: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Pixels (N, H, W) float32 in [0, 1] from noise (N, Z) and labels (N, K) float32."""
        ...

    def encode(
        self, pixels: NDArray[np.float32], one_hot: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Noise (N, Z) float32 from pixels (N, H, W) in [0, 1] and labels (N, K) float32."""
        ...


class Generator:
    """Draws digits with one checkpoint."""

    def __init__(self, config: CVAEConfig, engine: Engine) -> None:
        self.config = config
        self.engine = engine
        self._one_hot = np.eye(config.classes, dtype=np.float32)

    def one_hot(self, labels: NDArray[np.intp]) -> NDArray[np.float32]:
        """Labels (N,) in 0 .. K - 1 as one-hot vectors (N, K) float32."""
        return self._one_hot[labels]

    def draw(self, one_hot: NDArray[np.float32], noise: NDArray[np.float32]) -> NDArray[np.uint8]:
        """One picture for each label.

        Args:
            one_hot: (N, K) float32; rows between two labels draw what lies between them.
            noise: (N, Z) float32 from N(0, I).
        Returns:
            (N, H, W) uint8 grey levels, ink 255 on 0.
        """
        if len(noise) > PIECE:
            cuts = range(PIECE, len(noise), PIECE)
            pieces = zip(np.split(one_hot, cuts), np.split(noise, cuts), strict=True)
            return np.concatenate([self.draw(*piece) for piece in pieces])
        pixels = self.engine.decode(noise, one_hot)  # (N, H, W) in [0, 1]
        pixels *= 255  # in place: the array is new, and ours
        pixels += 0.5
        return pixels.astype(np.uint8)

    def style(
        self, pixels: NDArray[np.float32], one_hot: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """The noise (N, Z) that draws pictures like these, (N, H, W) in [0, 1]."""
        return self.engine.encode(pixels, one_hot)

    def read(self, pixels: NDArray[np.float32]) -> int:
        """The label that explains one picture (H, W) in [0, 1] best: the CVAE as a classifier.

        Each label in turn is given to the encoder and the decoder; the one with the lowest
        reconstruction loss plus the cost of its noise under the prior is the reading.
        """
        labels = np.eye(self.config.classes, dtype=np.float32)
        copies = np.repeat(pixels[None], self.config.classes, axis=0)  # (K, H, W)
        noise = self.style(copies, labels)  # (K, Z)
        ink = np.clip(self.engine.decode(noise, labels), 1e-6, 1 - 1e-6)  # (K, H, W)
        nll = -(copies * np.log(ink) + (1 - copies) * np.log(1 - ink)).sum((1, 2))
        return int((nll + np.square(noise).sum(1) / 2).argmin())


class OnnxEngine:
    """Runs decoder.onnx and encoder.onnx on the CPU, one thread per call."""

    def __init__(self, checkpoint: Checkpoint, precision: Precision = "float") -> None:
        self._checkpoint = checkpoint
        graph = ROUNDED_DECODER if precision == "int8" else DECODER
        self._decoder = _open_session(checkpoint, graph)
        self._encoder: onnxruntime.InferenceSession | None = None

    def decode(
        self, noise: NDArray[np.float32], one_hot: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """See `Engine.decode`."""
        (pixels,) = self._decoder.run(["pixels"], {"noise": noise, "one_hot": one_hot})
        return np.asarray(pixels)

    def encode(
        self, pixels: NDArray[np.float32], one_hot: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """See `Engine.encode`. Opened on first use: drawing does not need the encoder."""
        if self._encoder is None:
            self._encoder = _open_session(self._checkpoint, ENCODER)
        (noise,) = self._encoder.run(["noise"], {"pixels": pixels, "one_hot": one_hot})
        return np.asarray(noise)


def open_generator(
    checkpoint: Checkpoint, engine: EngineName = "onnx", precision: Precision = "float"
) -> Generator:
    """The generator of a checkpoint, run by the named engine.

    Raises:
        CheckpointError: the checkpoint cannot draw a digit that is asked for, or not so.
        EngineError: the engine is not installed.
    """
    if not checkpoint.config.conditional:
        raise CheckpointError(
            f"The checkpoint {checkpoint.folder} is an unconditional VAE and cannot draw the "
            "digit that is asked for; train one without `--no-conditional`."
        )
    if precision == "int8" and ROUNDED_DECODER not in checkpoint.manifest.sha256:
        raise CheckpointError(
            f"The checkpoint {checkpoint.folder} has no {ROUNDED_DECODER}, which the precision "
            "int8 draws with; write it again with `python -m training`, or set "
            "CVAE_PRECISION=float."
        )
    engine_class = _torch_engine() if engine == "torch" else OnnxEngine
    return Generator(checkpoint.config, engine_class(checkpoint, precision))


def _torch_engine() -> type[Engine]:
    # Imported by name, only when asked for: torch is heavy, and absent where only serving is
    # installed.
    try:
        module = importlib.import_module("model.torch_engine")
    except ModuleNotFoundError as error:
        raise EngineError(
            f"The torch engine cannot run because {error.name} is not installed; "
            "run `make install`, or set CVAE_ENGINE=onnx."
        ) from error
    engine_class: type[Engine] = module.TorchEngine
    return engine_class


def _open_session(checkpoint: Checkpoint, graph: str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    # A few digits cost about 0.1 ms: handing them to more threads costs more than it gains, and
    # idle threads would spin on the cores of the web server.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only
    # From memory: ONNX Runtime would map the file, and end the process if it was written over.
    name = ROUNDED_WEIGHTS if graph == ROUNDED_DECODER else WEIGHTS
    model, weights = checkpoint.content(graph), checkpoint.content(name)
    options.add_external_initializers_from_files_in_memory([name], [weights], [len(weights)])
    try:
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own exceptions have no common base but this
        raise CheckpointError(
            f"The checkpoint file {graph} cannot be run by ONNX Runtime "
            f"{onnxruntime.__version__}: {error}; write the checkpoint again with this version."
        ) from error
    _check_inputs(session, graph, checkpoint.config)
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
