"""The torch engine: the reference that the ONNX graphs are held against, and the way to a GPU."""

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray

from model.checkpoint import WEIGHTS, Checkpoint
from model.cvae import CVAE


def load_cvae(checkpoint: Checkpoint) -> CVAE:
    """The trained network of a checkpoint, in evaluation mode, on the CPU."""
    cvae = CVAE(checkpoint.config)
    weights = safetensors.torch.load_file(checkpoint.folder / WEIGHTS)
    cvae.load_state_dict(weights, strict=True)
    return cvae.eval()


class TorchEngine:
    """Runs encoder and decoder with torch, on a GPU where there is one."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.cvae = load_cvae(checkpoint).to(self.device)

    @torch.inference_mode()
    def decode(
        self, noise: NDArray[np.float32], one_hot: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """See `model.runtime.Engine.decode`."""
        pixels = self.cvae.decoder(self._tensor(noise), self._tensor(one_hot))
        return np.asarray(pixels.cpu())

    @torch.inference_mode()
    def encode(
        self, pixels: NDArray[np.float32], one_hot: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """See `model.runtime.Engine.encode`."""
        mean, _ = self.cvae.encoder(self._tensor(pixels), self._tensor(one_hot))
        return np.asarray(mean.cpu())

    def _tensor(self, array: NDArray[np.float32]) -> torch.Tensor:
        return torch.tensor(array, device=self.device)
