"""The query of most endpoints: its parameters, their limits, defaults and examples."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from app.request.error import invalid
from app.request.fields import (
    Digits,
    Gap,
    Ink,
    Marked,
    Model,
    Paper,
    Pen,
    Render,
    Scale,
    Seed,
    Spacing,
    Style,
    Temperature,
    Variation,
)
from app.request.line import without_marks
from app.request.parameter import Decimal, Integer
from app.request.query import Query
from app.request.size import check_pen, check_size

MAX_ROWS = 16
MAX_SIDE = 16383  # pixels, the most that WebP can hold
MAX_SAMPLES = 60_000  # digits in one data set, as many as MNIST has for training
CELL = Query.cell.height  # pixels, side of one digit of MNIST
BEARING = 1  # pixels left and right of each digit in tight spacing, before the gap

Format = Literal["png", "webp", "svg", "json", "npy"]


class Drawing(Query):
    """The parameters of every still drawing."""

    line: Digits = None
    marked: Marked = None
    seed: Seed = None
    rows: Annotated[
        int,
        Integer(1, MAX_ROWS),
        Field(description="Number of lines, each in another handwriting.", examples=[3]),
    ] = 1
    variation: Variation = None
    temperature: Temperature = 1.0
    style: Style = None
    spacing: Spacing = "cell"
    gap: Gap = 0
    scale: Scale = 1
    ink: Ink = "ffffff"
    paper: Paper = "000000"
    render: Render = "pixels"
    pen: Pen = 1.0
    format: Annotated[
        Format | SkipJsonSchema[None],
        Field(
            description="png, webp (lossless), svg (always ink), json (the facts and a PNG "
            "of each digit) or npy (grey levels). Default: chosen by the Accept header, PNG "
            "wherever that is accepted.",
            examples=["png"],
        ),
    ] = None
    model: Model = None

    @model_validator(mode="after")
    def _check_drawing(self) -> Self:
        if self.line is None and self.marked is None:
            raise invalid(self.alphabet.parameter, "is required")
        if self.line is not None and self.marked is not None:
            raise invalid("text", "replaces digits; give one of them")
        if self.format == "npy" and (self.ink, self.paper) != ("ffffff", "000000"):
            raise invalid(
                "format", "npy holds grey levels without colours; leave out ink and paper"
            )
        if self.format == "npy" and self.render == "ink":
            raise invalid(
                "format", "npy holds the model's own pixels; leave out render, or choose png"
            )
        check_pen(self.pen, self.render, self.pixels // self.scale**2)
        check_size(self.pixels, "scale")
        side = self.scale * max(self.cell.height * self.rows, self.width)
        if side > MAX_SIDE:
            raise invalid("scale", f"makes a side of {side} pixels, at most {MAX_SIDE}")
        return self

    def in_format(self, name: str) -> Self:
        """The same drawing in another format; PNG is the default and is stored as None."""
        return self.model_copy(update={"format": None if name == "png" else name})

    @property
    def written(self) -> str:
        """What is written, with its marks."""
        return self.marked or self.line or ""

    @property
    def labels(self) -> str:
        """What the model draws of it."""
        if self.marked is None:
            return self.line or ""
        return without_marks(self.marked)

    @property
    def count(self) -> int:
        """Number of digits, all lines together."""
        return self.alphabet.length(self.labels) * self.rows

    @property
    def width(self) -> int:
        """The most pixels that a line can be wide, before scaling."""
        bearings = 2 * BEARING if self.spacing == "tight" else 0
        return line_width(self.alphabet.length(self.written), self.gap, self.cell.width + bearings)

    @property
    def pixels(self) -> int:
        """See `Query.pixels`."""
        return self.cell.height * self.rows * self.width * self.scale**2


class GenerateQuery(Drawing):
    """The query of `GET /generate`."""


class RestyleQuery(Drawing):
    """The query of `POST /restyle`."""

    label: Annotated[
        int | None,
        Integer(0, 9),
        Field(
            description="The digit that the picture shows. Default: recognised by the model, "
            "and returned in X-Label.",
            examples=[7],
        ),
    ] = None
    shows: Annotated[
        Literal["digit", "line"],
        Field(
            description="digit: the picture shows one digit, and more are refused; line: it shows "
            "a line of digits, whose hands are averaged.",
            examples=["digit"],
        ),
    ] = "digit"

    @property
    def label_index(self) -> int | None:
        """The label of that name; None where it is not given."""
        return None if self.label is None else self.alphabet.find(str(self.label))

    @model_validator(mode="after")
    def _check_style(self) -> Self:
        if self.style is not None:
            raise invalid("style", "comes from the picture here; use it with /generate instead")
        if self.shows == "line" and self.label is not None:
            raise invalid("label", "names one digit; leave it out with shows=line")
        return self


class LatentMapQuery(Query):
    """The query of `GET /latent-map`."""

    label: Annotated[
        int, Integer(0, 9), Field(alias="digit", description="The digit to map.", examples=[7])
    ]
    cells: Annotated[
        int, Integer(2, 32), Field(description="Digits along each side of the map.", examples=[11])
    ] = 11
    span: Annotated[
        float,
        Decimal(0, 4),
        Field(
            description="Distance from the middle to the edge, in standard deviations.",
            examples=[2],
        ),
    ] = 2.0
    style: Annotated[
        Style, Field(description="The handwriting in the middle. Default: the most typical digit.")
    ] = None
    scale: Scale = 1
    ink: Ink = "ffffff"
    paper: Paper = "000000"
    render: Render = "pixels"
    pen: Pen = 1.0
    format: Annotated[
        Literal["png", "webp", "svg"], Field(description="Format of the map.", examples=["png"])
    ] = "png"
    model: Model = None

    @model_validator(mode="after")
    def _check_map(self) -> Self:
        check_pen(self.pen, self.render, self.pixels // self.scale**2)
        check_size(self.pixels, "scale")
        side = self.scale * self.cells * max(self.cell.height, self.cell.width)
        if side > MAX_SIDE:
            raise invalid("scale", f"makes a side of {side} pixels, at most {MAX_SIDE}")
        return self

    @property
    def label_index(self) -> int:
        """The label of that name; 0 for a model without labels."""
        return self.alphabet.find(str(self.label)) or 0

    @property
    def pixels(self) -> int:
        """See `Query.pixels`."""
        return self.cell.height * self.cell.width * (self.cells * self.scale) ** 2


def hand_share(variation: float | None, style: str | None) -> float:
    """How far digits depart from the hand of their line, from 0 to 1.

    Where `variation` is not given, a style is kept exactly, and without one every digit has a
    hand of its own.
    """
    if variation is not None:
        return variation
    return 1.0 if style is None else 0.0


def line_width(count: int, gap: int, cell: int = CELL) -> int:
    """Pixels that `count` digits take side by side, each `cell` wide, with `gap` between two."""
    return (cell + gap) * (count - 1) + cell
