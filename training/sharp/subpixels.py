"""The student's decoder in training: a field of logits, and shared kernels that draw subpixels.

Real digits are scans: ink on paper, averaged over pixels that are coarser than its edges. A decoder
whose pixels are means of subpixels can draw such edges, but with a weight of its own for each
subpixel it must learn each place separately. Here the subpixels are convolutions of one field
of logits with the same kernels everywhere. As the field is linear in the last hidden layer, so are
they, and the trained decoder is an ordinary one (`weights`).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from model.config import CVAEConfig
from model.cvae import Decoder

SIDE = 3  # of a kernel, in pixels


class FieldDecoder(Decoder):
    """A decoder that draws a field (H, W) of logits, and subpixels from it."""

    def __init__(self, config: CVAEConfig) -> None:
        super().__init__(config.model_copy(update={"supersampling": 1}))
        self.config = config
        self.kernels = nn.Parameter(_interpolation(config.supersampling))
        self.shifts = nn.Parameter(torch.zeros(config.subpixels))

    def subpixel_logits(self, latent: Tensor, one_hot: Tensor | None = None) -> Tensor:
        """See `Decoder.subpixel_logits`."""
        field = self.last_layer(latent, one_hot)  # (B, H*W)
        return self._subpixels(field) + self.shifts.reshape(-1, 1, 1)

    @torch.no_grad()
    def weights(self) -> dict[str, Tensor]:
        """The weights of the `Decoder` that draws the same: the last layer times the kernels."""
        found = {name: value for name, value in self.state_dict().items() if "layers" in name}
        last = f"layers.{len(self.layers) - 1}"
        weight = self._subpixels(found[f"{last}.weight"].T).flatten(1).T  # (S*H*W, hidden)
        bias = self._subpixels(found[f"{last}.bias"].unsqueeze(0)).flatten()
        bias += self.shifts.repeat_interleave(self.config.pixels)
        return found | {f"{last}.weight": weight.contiguous(), f"{last}.bias": bias}

    def _subpixels(self, field: Tensor) -> Tensor:
        """Subpixels (B, S, H, W) of fields (B, H*W), without the shifts."""
        image = field.reshape(-1, 1, self.config.image_height, self.config.image_width)
        return functional.conv2d(image, self.kernels, padding=SIDE // 2)


def _interpolation(side: int) -> Tensor:
    """Kernels (side**2, 1, 3, 3) that interpolate linearly at the centres of subpixels."""
    offsets = (torch.arange(side) + 0.5) / side - 0.5  # in pixels
    taps = torch.stack([(-offsets).clamp(min=0), 1 - offsets.abs(), offsets.clamp(min=0)], dim=1)
    return torch.einsum("ay,bx->abyx", taps, taps).reshape(-1, 1, SIDE, SIDE)
