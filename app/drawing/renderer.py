"""What the endpoints draw with: a request's order in, pictures and bytes out. Knows no HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from app.drawing.canvas import enlarge, stitch
from app.drawing.palette import Palette
from app.drawing.encoding import encode_json, encode_npy, encode_png, encode_webp
from app.api.errors import FieldError, InvalidRequest
from app.telemetry.counters import COMPOSE, DECODE, ENCODE, NOISE, Ledger
from app.drawing.svg import encode_svg
from app.request.schemas import CELL, Drawing, hand_share
from app.settings import Settings
from app.drawing.style import StyleError, decode_style, encode_style
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
    ledger: Ledger = field(default_factory=Ledger)

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
        pictures = self.pictures(order, seed)
        began = perf_counter()
        composed = _compose(order, pictures)
        began = self.ledger.lap(COMPOSE, began)
        content = _encode(order, composed, self.facts(order, seed))
        self.ledger.lap(ENCODE, began)
        return content

    def lines(self, orders: Sequence[PlainOrder]) -> list[bytes]:
        """The PNGs that `render` gives for digits and seed and nothing else, on a shorter way.

        All digits are drawn together. None depends on the others, bit for bit.
        """
        began = perf_counter()
        counts = [len(digits) for digits, _ in orders]
        lines = [(seed, 0, len(digits)) for digits, seed in orders]
        noise = latents_of_lines(lines, self.latent_size)
        noise_end = perf_counter()
        labels = labels_of("".join(digits for digits, _ in orders))
        drawn = self.generator.draw(self.generator.one_hot(labels), noise)
        decode_end = perf_counter()
        ends = list(accumulate(counts))
        sheets = [
            stitch(drawn[None, end - count : end]) for count, end in zip(counts, ends, strict=True)
        ]
        compose_end = perf_counter()
        contents = [
            encode_png(sheet, self._facts(digits, seed, f"digits={digits}&seed={seed}"))
            for (digits, seed), sheet in zip(orders, sheets, strict=True)
        ]
        self.ledger.line(ends[-1], began, noise_end, decode_end, compose_end)
        return contents

    def pictures(self, order: Drawing, seed: int) -> Levels:
        """The digits that were ordered, (R, N, H, W) uint8 grey levels."""
        began = perf_counter()
        count, style = len(order.digits), self.style_noise(order.style)
        share = hand_share(order.variation, order.style)
        lines = [self.line_noise(seed, row, count, share, style) for row in range(order.rows)]
        noise = np.concatenate(lines) * np.float32(order.temperature)
        one_hot = np.tile(self.generator.one_hot(labels_of(order.digits)), (order.rows, 1))
        self.ledger.lap(NOISE, began)
        drawn = self.draw(one_hot, noise)
        return drawn.reshape(order.rows, count, *drawn.shape[1:])

    def draw(self, one_hot: NDArray[np.float32], noise: Noise) -> Levels:
        """The pictures of labels (N, K) and noise (N, Z), see `Generator.draw`; counted."""
        began = perf_counter()
        drawn = self.generator.draw(one_hot, noise)
        self.ledger.lap(DECODE, began, len(drawn))
        return drawn

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


def _compose(order: Drawing, pictures: Levels) -> Levels:
    """The sheet, or for JSON the pictures one by one, as large as they are encoded."""
    if order.format == "json":
        return pictures.repeat(order.scale, axis=2).repeat(order.scale, axis=3)
    sheet = stitch(pictures, order.spacing, order.gap)
    return sheet if order.format == "svg" else enlarge(sheet, order.scale)  # outlines scale free


def _encode(order: Drawing, composed: Levels, facts: dict[str, str]) -> bytes:
    palette = Palette(order.ink, order.paper)
    if order.format == "json":
        return encode_json(composed, order.digits, facts, palette)
    if order.format == "svg":
        return encode_svg(composed, order.digits, facts, palette, order.scale)
    if order.format == "webp":
        return encode_webp(composed, facts, palette)
    if order.format == "npy":
        return encode_npy(composed)
    return encode_png(composed, facts, palette)


def is_light(order: Drawing) -> bool:
    """Whether a drawing takes so little time that handing it to a thread would cost more."""
    digits = order.count
    pixels = digits * (CELL * order.scale) ** 2
    return (
        order.format in (None, "npy", "json") and digits <= LIGHT_DIGITS and pixels <= LIGHT_PIXELS
    )


def labels_of(digits: str) -> NDArray[np.intp]:
    """The labels (N,) of ASCII digits."""
    return (np.frombuffer(digits.encode("ascii"), dtype=np.uint8) - ord("0")).astype(np.intp)


def open_studio(settings: Settings, ledger: Ledger | None = None) -> Studio:
    """Load and verify the checkpoint, and draw once, so that the first request is a fast one.

    Args:
        settings: name checkpoint and engine.
        ledger: where to count what is drawn from now on, and to say what draws.
    Raises:
        CheckpointError: the checkpoint cannot be used.
        EngineError: the engine cannot run here.
    """
    checkpoint = read_checkpoint(settings.checkpoint)
    generator = open_generator(checkpoint, settings.engine, settings.precision)
    studio = Studio(generator, checkpoint, settings.engine, settings.precision)
    studio.render(Drawing.parse(b"digits=0123456789"), seed=0)
    if ledger is None:
        return studio
    ledger.describe(model=studio.model_hash, engine=studio.engine, precision=studio.precision)
    return replace(studio, ledger=ledger)
