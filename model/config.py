"""The architecture of a CVAE as frozen, typed values. Needs no torch."""

from itertools import pairwise
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Size = Annotated[int, Field(gt=0)]


class CVAEConfig(BaseModel):
    """Everything that fixes the shapes of the weights.

    No field has a default, so that no checkpoint is opened with the wrong shapes by accident.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    image_height: Size  # pixels
    image_width: Size  # pixels
    classes: Size  # K, number of labels
    # The widths of the encoder; the decoder has them in reverse.
    hidden: Annotated[tuple[Size, ...], Field(min_length=1, max_length=64)]
    latent: Size  # Z, number of latent dimensions
    conditional: bool  # False: an unconditional VAE, p(y) instead of p(y|x)

    @property
    def pixels(self) -> int:
        """Number of pixels of one image, H * W."""
        return self.image_height * self.image_width

    @property
    def label_size(self) -> int:
        """Number of inputs of encoder and decoder for the label: K, or 0 if unconditional."""
        return self.classes if self.conditional else 0

    @property
    def encoder_sizes(self) -> tuple[int, ...]:
        """Widths of the encoder's layers, input first; the two heads follow the last one."""
        return (self.pixels + self.label_size, *self.hidden)

    @property
    def decoder_sizes(self) -> tuple[int, ...]:
        """Widths of the decoder's layers, input first, pixels last."""
        return (self.latent + self.label_size, *reversed(self.hidden), self.pixels)

    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every weight of `model.cvae.CVAE` with this configuration."""
        layers: dict[str, tuple[int, int]] = {}
        for trunk, sizes in (("encoder", self.encoder_sizes), ("decoder", self.decoder_sizes)):
            for index, (inputs, outputs) in enumerate(pairwise(sizes)):
                # Every second module is a ReLU, which has no weights.
                layers[f"{trunk}.layers.{2 * index}"] = (outputs, inputs)
        for head in ("mean", "log_variance"):
            layers[f"encoder.{head}"] = (self.latent, self.hidden[-1])
        weights: dict[str, tuple[int, ...]] = {}
        for name, shape in layers.items():
            weights[f"{name}.weight"] = shape
            weights[f"{name}.bias"] = shape[:1]
        return weights


# The network of the article "Understanding CVAEs" (T. Roeder, 2018): 794-512-512 with two heads
# of 256, and 266-512-512-784.
ARTICLE = CVAEConfig(
    image_height=28, image_width=28, classes=10, hidden=(512, 512), latent=256, conditional=True
)
