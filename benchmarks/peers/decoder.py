"""What every peer draws with: the bundled decoder in torch, Pillow for the PNG."""

import io

import numpy as np
import torch
from PIL import Image

from model.box import place
from model.checkpoint import PRETRAINED, read_checkpoint
from model.torch_engine import load_cvae

DIGITS = "^[0-9]{1,64}$"


class Decoder:
    """The decoder of the checkpoint that ships, on one thread: each peer gets one core."""

    def __init__(self) -> None:
        torch.set_num_threads(1)
        checkpoint = read_checkpoint(PRETRAINED)
        self.config = checkpoint.config
        self.decode = load_cvae(checkpoint).decoder

    def draw(self, digits: str) -> Image.Image:
        """One line of digits, each from noise of its own."""
        return self.picture(digits, torch.randn(len(digits), self.config.latent))

    @torch.inference_mode()
    def picture(self, digits: str, noise: torch.Tensor) -> Image.Image:
        """One line of digits from the given noise (N, Z): (H, N * W) grey levels."""
        labels = torch.tensor([int(digit) for digit in digits])
        one_hot = torch.nn.functional.one_hot(labels, self.config.classes).float()
        pixels = self.decode(noise, one_hot).reshape(len(digits), self.config.image_height, -1)
        levels = (pixels * 255).round().byte().numpy()
        if self.config.canvas is not None:  # the network draws boxes
            levels = place(levels, self.config.canvas)
        return Image.fromarray(np.concatenate(list(levels), axis=1))


def png(picture: Image.Image) -> bytes:
    """A picture as the bytes of a PNG."""
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return buffer.getvalue()
