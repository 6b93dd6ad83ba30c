"""The torch engine: the reference for the ONNX graphs, and the engine for GPUs."""

from collections.abc import Mapping

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from model.checkpoint import ROUNDED_WEIGHTS, WEIGHTS, Checkpoint
from model.config import CVAEConfig
from model.cvae import CVAE, conditioned, pixels_of
from model.engine import Precision, pictures_of

LEVELS = 255  # the highest input of a layer in 8 bits


def load_cvae(checkpoint: Checkpoint) -> CVAE:
    """The trained network of a checkpoint, in evaluation mode, on the CPU."""
    cvae = CVAE(checkpoint.config)
    weights = safetensors.torch.load_file(checkpoint.folder / WEIGHTS)
    cvae.load_state_dict(weights, strict=True)
    return cvae.eval()


class RoundedDecoder(nn.Module):
    """The decoder with 8-bit weights, by the rule of `model.quantization`."""

    def __init__(self, config: CVAEConfig, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.config = config
        for name, tensor in weights.items():
            self.register_buffer(name.removeprefix("decoder.").replace(".", "_"), tensor)
        self.last = 2 * (len(config.decoder_sizes) - 2)  # the numbers of layers count ReLUs too

    def forward(self, latent: Tensor, one_hot: Tensor | None = None) -> Tensor:
        """The pixels, see `model.cvae.Decoder.forward`."""
        part = self.get_buffer
        x = conditioned(latent, one_hot, self.config)  # (B, Z + K)
        x = torch.relu(x @ part("layers_0_weight") + part("layers_0_bias"))
        x = x / part("layers_2_input_scale")
        for layer in range(2, self.last + 1, 2):
            # In float64 the sums of integers are exact, also on a GPU.
            levels = x.round().clamp(0, LEVELS).double()
            sums = levels @ part(f"layers_{layer}_weight_quantized").double()
            scale = part(f"layers_{layer}_input_scale") * part(f"layers_{layer}_weight_scale")
            if layer != self.last:
                scale = scale / part(f"layers_{layer + 2}_input_scale")
            x = (sums + self._bias(layer)).float() * scale
        config = self.config
        drawn = (config.subpixels, config.image_height, config.image_width)
        return pixels_of(x.reshape(-1, *drawn), config)

    def _bias(self, layer: int) -> Tensor:
        """The bias of a layer in units of its sums; older checkpoints have it in float."""
        part = self.get_buffer
        bias = part(f"layers_{layer}_bias")
        if not bias.is_floating_point():
            return bias
        unit = part(f"layers_{layer}_input_scale") * part(f"layers_{layer}_weight_scale")
        return (bias / unit).round()


def load_rounded_decoder(checkpoint: Checkpoint) -> RoundedDecoder:
    """The rounded decoder of a checkpoint that has one, on the CPU."""
    weights = safetensors.torch.load_file(checkpoint.folder / ROUNDED_WEIGHTS)
    return RoundedDecoder(checkpoint.config, weights)


class TorchEngine:
    """Runs decoder and encoder with torch, on a GPU if there is one."""

    def __init__(self, checkpoint: Checkpoint, precision: Precision = "float") -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.cvae = load_cvae(checkpoint).to(self.device)
        rounded = precision == "int8"
        drawer = load_rounded_decoder(checkpoint) if rounded else self.cvae.decoder
        self.drawer = drawer.to(self.device)

    @torch.inference_mode()
    def draw(self, noise: NDArray[np.float32], one_hot: NDArray[np.float32]) -> NDArray[np.uint8]:
        """See `model.engine.Engine.draw`."""
        pixels = self.drawer(self._tensor(noise), self._label(one_hot))
        return pictures_of(np.asarray(pixels.cpu()), self.cvae.config.canvas)

    @torch.inference_mode()
    def decode(
        self, noise: NDArray[np.float32], one_hot: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """See `model.engine.Engine.decode`."""
        pixels = self.cvae.decoder(self._tensor(noise), self._label(one_hot))
        return np.asarray(pixels.cpu())

    @torch.inference_mode()
    def encode(
        self, pixels: NDArray[np.float32], one_hot: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """See `model.engine.Engine.encode`."""
        mean, _ = self.cvae.encoder(self._tensor(pixels), self._label(one_hot))
        return np.asarray(mean.cpu())

    def _label(self, one_hot: NDArray[np.float32]) -> torch.Tensor | None:
        """The label as the modules take it: None for an unconditional model."""
        return self._tensor(one_hot) if one_hot.shape[1] else None

    def _tensor(self, array: NDArray[np.float32]) -> torch.Tensor:
        return torch.tensor(array, device=self.device)
