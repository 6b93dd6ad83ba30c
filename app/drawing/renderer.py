"""The renderer: a generator with its checkpoint, which makes the files of drawings."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.drawing.canvas import stitch
from app.drawing.encoding import encode
from app.drawing.marks import with_marks
from app.drawing.style import decode_style
from app.request.line import MARKS
from app.request.morph import MorphQuery
from app.request.queries import Queries, queries_of
from app.request.ranges import Size
from app.request.schemas import Drawing, hand_share
from app.telemetry.counters import Counters
from model.alphabet import Alphabet
from model.checkpoint import Checkpoint, CheckpointError, Manifest, read_checkpoint
from model.content import one_line
from model.engine import EngineError, EngineName, Precision
from model.generator import Generator, open_generator
from model.noise import hand, mix, noise_of_lines

if TYPE_CHECKING:  # the start does not need it
    from model.reading.reader import Reader

Levels = NDArray[np.uint8]
Noise = NDArray[np.float32]
Line = tuple[int, int, int]  # seed, row, number of digits

LIGHT_DIGITS = 64
LIGHT_PIXELS = 2**18
LIGHT_INK = 2**14  # pixels, which cost more as ink
LIGHT_WEBP = 2**13  # pixels, which cost more still in a WebP: 0.4 ms
LIGHT_OUTLINES = 4  # digits as outlines: 0.6 ms


class Order(NamedTuple):
    """A drawing with the seed to draw it with. The format None means PNG."""

    query: Drawing
    seed: int


@dataclass(frozen=True, eq=False)  # two renderers differ, even with the same checkpoint
class Renderer:
    """Makes the files of drawings with one model."""

    generator: Generator
    checkpoint: Checkpoint
    engine: EngineName
    precision: Precision
    counters: Counters = field(default_factory=Counters)
    # The two strongest directions of each label, see `app.drawing.latent_map`.
    directions: dict[int, tuple[Noise, Noise]] = field(default_factory=dict, init=False)

    @property
    def identity(self) -> tuple[str, str, str]:
        """Everything that the bytes of a drawing depend on, besides its request."""
        return self.model_hash, self.engine, self.precision

    @cached_property
    def model_hash(self) -> str:
        """16 hex digits that identify the model."""
        return self.checkpoint.model_hash

    @cached_property
    def latent_size(self) -> int:
        """Z, the number of latent dimensions."""
        return self.generator.config.latent

    @cached_property
    def alphabet(self) -> Alphabet:
        """What the model can write."""
        return self.checkpoint.manifest.alphabet

    @cached_property
    def queries(self) -> Queries:
        """What can be asked of the model."""
        return model_queries(self.checkpoint.manifest)

    @property
    def sample(self) -> Drawing:
        """A drawing that shows what the model can write."""
        line = {self.alphabet.parameter: self.alphabet.sample}
        return self.queries.generate.model_validate(line)

    @cached_property
    def reader(self) -> "Reader | None":
        """Reads photos of digits; None without networks for that. Opened on first use."""
        if self.alphabet.kind != "digits":
            return None  # it knows no other labels
        from model.reading.networks import open_reader  # needs Pillow, which drawing does not

        return open_reader(self.checkpoint)

    def render(self, orders: Sequence[Order]) -> list[bytes]:
        """The file of each order. The digits of all orders are decoded together.

        Raises:
            InvalidRequest: a style token does not belong to this model.
        """
        start = perf_counter()
        noise = self._noise(orders)
        one_hot = self.one_hot([query.labels for query, _ in orders for _ in range(query.rows)])
        noise_end = perf_counter()
        pictures = self.generator.draw(one_hot, noise)
        decode_end = perf_counter()
        composed = _compose(orders, pictures)
        compose_end = perf_counter()
        files = [
            encode(query, levels, query.written, self._facts(query, seed))
            for (query, seed), levels in zip(orders, composed, strict=True)
        ]
        moments = (start, noise_end, decode_end, compose_end, perf_counter())
        self.counters.add_drawing(len(pictures), moments)
        return files

    def one_hot(self, lines: Sequence[str]) -> NDArray[np.float32]:
        """The labels (N, K) of lines in the alphabet of the model, one line after the other."""
        return self.generator.one_hot(self.alphabet.labels(lines))

    def line_noise(self, lines: Sequence[Line], query: MorphQuery) -> Noise:
        """The noise (N, Z) of all digits of some lines, in the hands that a query asks for.

        Raises:
            InvalidRequest: the style token does not belong to this model.
        """
        return self._in_hand(noise_of_lines(lines, self.latent_size), lines, query)

    def style_noise(self, style: str | None) -> Noise | None:
        """The noise (Z,) of a style token; None without one.

        Raises:
            InvalidRequest: the token does not belong to this model.
        """
        return None if style is None else decode_style(style, self.model_hash, self.latent_size)

    def _noise(self, orders: Sequence[Order]) -> Noise:
        """The noise (N, Z) of all digits of all orders."""
        length = self.alphabet.length
        lines = [
            (seed, row, length(query.labels)) for query, seed in orders for row in range(query.rows)
        ]
        noise = noise_of_lines(lines, self.latent_size)
        for query, _ in orders:
            if query.variation is not None or query.style is not None or query.temperature != 1:
                self._shape(noise, orders)
                break
        return noise

    def _shape(self, noise: Noise, orders: Sequence[Order]) -> None:
        """Apply variation, style and temperature to the noise of all orders, in place."""
        first = 0
        for query, seed in orders:
            own = noise[first : first + query.count]
            length = self.alphabet.length(query.labels)
            lines = [(seed, row, length) for row in range(query.rows)]
            own[:] = self._in_hand(own, lines, query) * np.float32(query.temperature)
            first += query.count

    def _in_hand(self, own: Noise, lines: Sequence[Line], query: Drawing | MorphQuery) -> Noise:
        """Noise (N, Z) between the digits' own and the hand that each line shares."""
        style = self.style_noise(query.style)
        share = hand_share(query.variation, query.style)
        if share == 1:
            return own
        hands = [
            hand(seed, row, self.latent_size) if style is None else style for seed, row, _ in lines
        ]
        return mix(np.repeat(hands, [count for _, _, count in lines], axis=0), own, share)

    def _facts(self, query: Drawing, seed: int) -> dict[str, str]:
        """The facts in a file; `request` is the query string that reproduces it."""
        return {
            self.alphabet.parameter if query.marked is None else "text": query.written,
            "seed": str(seed),
            "request": query.canonical(seed=seed),
            "model": self.model_hash,
        }


def _compose(orders: Sequence[Order], pictures: Levels) -> list[Levels]:
    """The sheet (H, W) of each order; for JSON its pictures (R, N, H, W)."""
    composed, first = [], 0
    for query, _ in orders:
        end = first + query.count
        lines = pictures[first:end].reshape(query.rows, -1, *pictures.shape[1:])
        standing: bool | list[bool] = query.alphabet.kind == "digits"
        if query.marked is not None:
            lines = with_marks(lines, query.marked)
            standing = [sign not in MARKS for sign in query.marked]
        json = query.format == "json"
        composed.append(lines if json else stitch(lines, query.spacing, query.gap, standing))
        first = end
    return composed


def is_light(query: Drawing) -> bool:
    """Whether a drawing takes less time than handing it to a thread."""
    digits = query.alphabet.length(query.written) * query.rows  # and marks, which take as long
    if query.pen != 1:
        return False
    if query.format == "svg":
        return digits <= LIGHT_OUTLINES
    most = LIGHT_PIXELS if query.render == "pixels" else LIGHT_INK
    if query.format == "webp":
        most = LIGHT_WEBP
    return digits <= LIGHT_DIGITS and query.pixels <= most


def model_queries(manifest: Manifest) -> Queries:
    """What can be asked of the model of a checkpoint."""
    config = manifest.architecture
    return queries_of(manifest.alphabet, Size(*config.picture_size))


def open_renderer(
    checkpoint: Path, engine: EngineName, precision: Precision, counters: Counters | None = None
) -> Renderer:
    """The renderer of a verified checkpoint. Draws once, so that the first request is fast.

    Args:
        checkpoint: folder.
        engine: what runs the model.
        precision: of the decoder's products.
        counters: get the facts about the model, and count what is drawn later.
    Raises:
        CheckpointError: the checkpoint cannot be used.
        EngineError: the engine cannot run here.
    """
    try:
        opened = read_checkpoint(checkpoint)
        generator = open_generator(opened, engine, precision)
        renderer = Renderer(generator, opened, engine, precision)
        renderer.render([Order(renderer.sample, seed=0)])
    except (CheckpointError, EngineError):
        raise
    except Exception as error:  # the folder is data: whatever it does must not end a service
        raise CheckpointError(
            f"The checkpoint {checkpoint} cannot be used: {type(error).__name__}, "
            f"{one_line(error)}; restore the folder or train it again with `python -m training`."
        ) from error
    return renderer if counters is None else replace(renderer, counters=counters)
