"""Draws digits with a checkpoint: labels and noise in, grey levels out. Knows no HTTP and no torch.

Two engines do the arithmetic: ONNX Runtime by default, torch as the reference and for GPUs. Both
do it in one of two precisions: float, or int8 with the decoder's products in 8 bits, which is
faster and differs by less than a grey level on average.
"""

import numpy as np
from numpy.typing import NDArray

from model.checkpoint import ROUNDED_DECODER, Checkpoint, CheckpointError
from model.config import CVAEConfig
from model.engine import Engine, EngineError, EngineName, Precision
from model.onnx_engine import OnnxEngine

PIECE = 64  # digits decoded at a time: more would leave the processor's cache


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
    return Generator(checkpoint.config, _open_engine(checkpoint, engine, precision))


def _open_engine(checkpoint: Checkpoint, engine: EngineName, precision: Precision) -> Engine:
    if engine == "onnx":
        return OnnxEngine(checkpoint, precision)
    try:  # imported on demand: torch is heavy, and absent where only serving is installed
        from model.torch_engine import TorchEngine
    except ModuleNotFoundError as error:
        raise EngineError(
            f"The torch engine cannot run because {error.name} is not installed; "
            "run `make install`, or set CVAE_ENGINE=onnx."
        ) from error
    return TorchEngine(checkpoint, precision)
