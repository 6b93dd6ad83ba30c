"""Draws digits with a checkpoint: labels and noise in, grey levels out. Needs no torch.

Two engines compute: ONNX Runtime by default, torch as the reference and for GPUs. Each has two
precisions: float, and int8, in which the decoder multiplies in 8 bits. That is faster and differs
by less than one grey level on average.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.box import crop
from model.checkpoint import ROUNDED_DECODER, Checkpoint, CheckpointError
from model.config import CVAEConfig
from model.engine import Engine, EngineError, EngineName, Precision
from model.onnx_engine import OnnxEngine

DOUBT = 0.1  # of each pixel in reading a digit: a clear drawing is not as sure as it looks
BATCH = 64  # digits decoded at once: more do not fit into the processor's cache


class Generator:
    """Draws digits with one checkpoint."""

    def __init__(self, config: CVAEConfig, engine: Engine) -> None:
        self.config = config
        self.engine = engine
        self._one_hot = np.eye(config.classes, config.label_size, dtype=np.float32)

    def one_hot(self, labels: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
        """Labels (N,) in 0 .. K - 1 as one-hot vectors (N, K) float32.

        An unconditional model takes no label: its vectors have no entry, (N, 0).
        """
        return self._one_hot.take(labels, axis=0)

    def draw(self, one_hot: NDArray[np.float32], noise: NDArray[np.float32]) -> NDArray[np.uint8]:
        """One picture for each label.

        Args:
            one_hot: (N, K) float32; a mixture of two labels draws a shape between the two digits.
            noise: (N, Z) float32 from N(0, I).
        Returns:
            (N, H, W) uint8 grey levels of the whole pictures, ink 255 on paper 0.
        """
        if len(noise) > BATCH:
            cuts = range(BATCH, len(noise), BATCH)
            batches = zip(np.split(one_hot, cuts), np.split(noise, cuts), strict=True)
            return np.concatenate([self.draw(*batch) for batch in batches])
        return self.engine.draw(noise, one_hot)

    def style(
        self, pixels: NDArray[np.float32], one_hot: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """The noise (N, Z) that draws pictures (N, H, W) in [0, 1] again, given their labels."""
        return self.engine.encode(self.box(pixels), one_hot)

    def read(self, pixels: NDArray[np.float32]) -> int:
        """The most likely label of one picture (H, W) in [0, 1]: the CVAE as a classifier.

        Encodes and decodes the picture with each label, and returns the label with the lowest sum
        of reconstruction loss and negative log density of the noise.
        """
        labels = np.eye(self.config.classes, dtype=np.float32)
        copies = np.repeat(self.box(pixels[None]), self.config.classes, axis=0)  # (K, h, w)
        noise = self.engine.encode(copies, labels)  # (K, Z)
        ink = np.clip(self.engine.decode(noise, labels), DOUBT, 1 - DOUBT)  # (K, h, w)
        nll = -(copies * np.log(ink) + (1 - copies) * np.log(1 - ink)).sum((1, 2))
        return int((nll + np.square(noise).sum(1) / 2).argmin())

    def box(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the encoder sees of whole pictures (N, H, W): (N, h, w)."""
        config = self.config
        if config.canvas is None:
            return pixels
        return crop(pixels, config.image_height, config.image_width)


def open_generator(
    checkpoint: Checkpoint, engine: EngineName = "onnx", precision: Precision = "float"
) -> Generator:
    """The generator of a checkpoint, run by the named engine.

    Raises:
        CheckpointError: the checkpoint lacks the precision.
        EngineError: the engine is not installed.
    """
    if precision == "int8" and ROUNDED_DECODER not in checkpoint.manifest.sha256:
        raise CheckpointError(
            f"The checkpoint {checkpoint.folder} has no {ROUNDED_DECODER}, which the precision "
            "int8 needs; train it again with `python -m training`, or set CVAE_PRECISION=float."
        )
    return Generator(checkpoint.config, _open_engine(checkpoint, engine, precision))


def _open_engine(checkpoint: Checkpoint, engine: EngineName, precision: Precision) -> Engine:
    if engine == "onnx":
        return OnnxEngine(checkpoint, precision)
    try:  # imported on demand: torch is slow to load and not installed with the service
        from model.torch_engine import TorchEngine
    except ModuleNotFoundError as error:
        raise EngineError(
            f"The torch engine cannot run because {error.name} is not installed; "
            "run `make install`, or set CVAE_ENGINE=onnx."
        ) from error
    return TorchEngine(checkpoint, precision)
