"""What the endpoints draw with: a request's order in, pictures and bytes out. Knows no HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from app.canvas import enlarge, stitch
from app.colour import Palette
from app.encoding import encode_json, encode_npy, encode_png, encode_webp
from app.errors import FieldError, InvalidRequest
from app.outline import encode_svg
from app.schemas import CELL, Drawing, hand_share
from app.settings import Settings
from app.style import StyleError, decode_style, encode_style
from model.checkpoint import Checkpoint, read_checkpoint
from model.noise import hand, latents, latents_of_lines, mix
from model.runtime import Generator, open_generator

Levels = NDArray[np.uint8]
Noise = NDArray[np.float32]
PlainOrder = tuple[str, int]  # digits and seed

LIGHT_DIGITS = 64
LIGHT_PIXELS = 2**18


@dataclass(frozen=True, eq=False)  # one studio is not another, also with the same checkpoint
class Studio:
    """A generator with the checkpoint that it was opened from."""

    generator: Generator
    checkpoint: Checkpoint
    engine: str
    precision: str

    @property
    def identity(self) -> tuple[str, str, str]:
        """What all its pictures depend on: part of every ETag."""
        return self.model_hash, self.engine, self.precision

    @cached_property
    def model_hash(self) -> str:
        """16 hex digits that name what is drawn."""
        return self.checkpoint.model_hash

    @property
    def latent_size(self) -> int:
        """Z, the number of latent dimensions."""
        return self.generator.config.latent

    def render(self, order: Drawing, seed: int) -> bytes:
        """The file that was ordered.

        Raises:
            InvalidRequest: its style is none of this model.
        """
        pictures, palette = self.pictures(order, seed), Palette(order.ink, order.paper)
        facts = self.facts(order, seed)
        if order.format == "json":
            large = pictures.repeat(order.scale, axis=2).repeat(order.scale, axis=3)
            return encode_json(large, order.digits, facts, palette)
        sheet = stitch(pictures, order.spacing, order.gap)
        if order.format == "svg":
            return encode_svg(sheet, order.digits, facts, palette, order.scale)
        sheet = enlarge(sheet, order.scale)
        if order.format == "webp":
            return encode_webp(sheet, facts, palette)
        if order.format == "npy":
            return encode_npy(sheet)
        return encode_png(sheet, facts, palette)

    def lines(self, orders: Sequence[PlainOrder]) -> list[bytes]:
        """The PNGs that `render` gives for digits and seed and nothing else, on a shorter way.

        All digits are drawn together. None depends on the others, bit for bit.
        """
        counts = [len(digits) for digits, _ in orders]
        lines = [(seed, 0, len(digits)) for digits, seed in orders]
        labels = labels_of("".join(digits for digits, _ in orders))
        noise = latents_of_lines(lines, self.latent_size)
        drawn = self.generator.draw(self.generator.one_hot(labels), noise)
        ends = accumulate(counts)
        return [
            self._plain_png(order, drawn[None, end - count : end])
            for order, count, end in zip(orders, counts, ends, strict=True)
        ]

    def _plain_png(self, order: PlainOrder, pictures: Levels) -> bytes:
        digits, seed = order
        facts = self._facts(digits, seed, f"digits={digits}&seed={seed}")
        return encode_png(stitch(pictures), facts)

    def pictures(self, order: Drawing, seed: int) -> Levels:
        """The digits that were ordered, (R, N, H, W) uint8 grey levels."""
        count, style = len(order.digits), self.style_noise(order.style)
        share = hand_share(order.variation, order.style)
        lines = [self.line_noise(seed, row, count, share, style) for row in range(order.rows)]
        noise = np.concatenate(lines) * np.float32(order.temperature)
        one_hot = np.tile(self.generator.one_hot(labels_of(order.digits)), (order.rows, 1))
        drawn = self.generator.draw(one_hot, noise)
        return drawn.reshape(order.rows, count, *drawn.shape[1:])

    def line_noise(
        self, seed: int, row: int, count: int, share: float, style: Noise | None = None
    ) -> Noise:
        """The noise (N, Z) of one line.

        Args:
            seed: of the request.
            row: of the line.
            count: N, digits in the line.
            share: 0 all in the line's hand, 1 each its own.
            style: (Z,) the line's hand; None for the one that belongs to seed and row.
        """
        size = self.latent_size
        if share == 1:
            return latents(seed, row, count, size)
        shared = hand(seed, row, size) if style is None else style
        return mix(np.tile(shared, (count, 1)), latents(seed, row, count, size), share)

    def style_noise(self, style: str | None) -> Noise | None:
        """The noise (Z,) of a style token.

        Raises:
            InvalidRequest: it is none of this model.
        """
        if style is None:
            return None
        try:
            return decode_style(style, self.model_hash, self.latent_size)
        except StyleError as error:
            raise InvalidRequest([FieldError(field="style", message=str(error))]) from error

    def style_of(self, pictures: list[NDArray[np.float32]], labels: list[int]) -> str:
        """The style token of pictures (H, W) in [0, 1]: the mean of their noise."""
        noise = self.generator.style(np.stack(pictures), self.generator.one_hot(np.array(labels)))
        return encode_style(noise.mean(axis=0), self.model_hash)

    def facts(self, order: Drawing, seed: int) -> dict[str, str]:
        """What makes a picture again: `request` is the query string of `/generate`."""
        request = order.model_copy(update={"seed": seed}).canonical()
        return self._facts(order.digits, seed, request)

    def _facts(self, digits: str, seed: int, request: str) -> dict[str, str]:
        return {"digits": digits, "seed": str(seed), "request": request, "model": self.model_hash}


def is_light(order: Drawing) -> bool:
    """Whether a drawing takes so little time that handing it to a thread would cost more."""
    digits = len(order.digits) * order.rows
    pixels = digits * (CELL * order.scale) ** 2
    return order.format in (None, "npy") and digits <= LIGHT_DIGITS and pixels <= LIGHT_PIXELS


def labels_of(digits: str) -> NDArray[np.intp]:
    """The labels (N,) of ASCII digits."""
    return (np.frombuffer(digits.encode("ascii"), dtype=np.uint8) - ord("0")).astype(np.intp)


def open_studio(settings: Settings) -> Studio:
    """Load and verify the checkpoint, and draw once, so that the first request is a fast one.

    Raises:
        CheckpointError: the checkpoint cannot be used.
        EngineError: the engine cannot run here.
    """
    checkpoint = read_checkpoint(settings.checkpoint)
    generator = open_generator(checkpoint, settings.engine, settings.precision)
    studio = Studio(generator, checkpoint, settings.engine, settings.precision)
    studio.render(Drawing.parse(b"digits=0123456789"), seed=0)
    return studio
