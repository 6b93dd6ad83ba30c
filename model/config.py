"""The architecture of a CVAE as frozen, typed values. Needs no torch."""

from itertools import pairwise
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Size = Annotated[int, Field(gt=0)]
# Sides in pixels of a box and of its canvas: up to these, the sums of model/box.py are exact.
MAX_BOX, MAX_CANVAS = 36, 64
MAX_SUPERSAMPLING = 8


class CVAEConfig(BaseModel):
    """Everything that fixes the shapes of the weights.

    Fields that every checkpoint has have no default, so that none is opened with the wrong shapes
    by accident. The last three have the values of all older checkpoints.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    image_height: Size  # pixels that the network draws
    image_width: Size  # pixels
    classes: Size  # K, number of labels
    # The widths of the encoder; the decoder has them in reverse.
    hidden: Annotated[tuple[Size, ...], Field(min_length=1, max_length=64)]
    latent: Size  # Z, number of latent dimensions
    conditional: bool  # False: an unconditional VAE, p(y) instead of p(y|x)
    # Side of the square picture in which what the network draws is placed by its centre of mass,
    # see model/box.py. None: the network draws the whole picture.
    canvas: Size | None = None
    # How far the sigmoid of the pixels reaches beyond 0 and 1, where it is clipped. With 0, paper
    # is never quite 0.
    overshoot: Annotated[float, Field(ge=0, lt=1)] = 0.0
    # Side of the square of subpixels whose mean is a pixel, as in a coarse scan of sharp ink. The
    # decoder draws all of them. With 1, it draws the pixels.
    supersampling: Annotated[int, Field(gt=0, le=MAX_SUPERSAMPLING)] = 1

    @model_validator(mode="after")
    def _check_canvas(self) -> Self:
        longer = max(self.image_height, self.image_width)
        if self.canvas is None:
            return self
        if self.canvas > MAX_CANVAS or longer > min(self.canvas, MAX_BOX):
            raise ValueError(
                f"found a box of {self.image_height} x {self.image_width} pixels in a canvas of "
                f"{self.canvas}; expected a box that fits, of at most {MAX_BOX} pixels, in a "
                f"canvas of at most {MAX_CANVAS}"
            )
        return self

    @property
    def picture_size(self) -> tuple[int, int]:
        """Height and width of a picture, in pixels: the canvas, or what the network draws."""
        if self.canvas is not None:
            return self.canvas, self.canvas
        return self.image_height, self.image_width

    @property
    def pixels(self) -> int:
        """Number of pixels that the network draws, H * W."""
        return self.image_height * self.image_width

    @property
    def subpixels(self) -> int:
        """Number of subpixels of a pixel, S."""
        return self.supersampling**2

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
        """Widths of the decoder's layers, input first, subpixels last."""
        drawn = self.pixels * self.subpixels
        return (self.latent + self.label_size, *reversed(self.hidden), drawn)

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
