"""The query of `GET /morph`."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from app.request.error import invalid
from app.request.fields import (
    Gap,
    Ink,
    Model,
    Paper,
    Pen,
    Render,
    Scale,
    Seed,
    Style,
    Temperature,
    Variation,
)
from app.request.line import MARKS, MarkedLine, without_marks
from app.request.parameter import Decimal, Integer
from app.request.query import Query
from app.request.schemas import line_width
from app.request.size import check_pen, check_size

MAX_MORPH_DIGITS = 16

Animation = Literal["webp", "gif", "apng"]


class MorphQuery(Query):
    """The query of `GET /morph`."""

    start: Annotated[
        str,
        MarkedLine(MAX_MORPH_DIGITS),
        Field(
            alias="from",
            description="The number to begin and end with, with marks such as 3.14 or without.",
            examples=["2018"],
        ),
    ]
    end: Annotated[
        str,
        MarkedLine(MAX_MORPH_DIGITS),
        Field(
            alias="to",
            description="The number in the middle of the loop, of the same length and with the "
            "same marks.",
            examples=["2019"],
        ),
    ]
    seed: Seed = None
    frames: Annotated[
        int, Integer(2, 120), Field(description="Pictures in the loop.", examples=[24])
    ] = 24
    fps: Annotated[
        int, Integer(1, 50), Field(description="Pictures per second.", examples=[12])
    ] = 12
    walk: Annotated[
        float,
        Decimal(0, 1),
        Field(
            description="How far the noise moves on its sphere: 0 keeps the handwriting, 1 reaches "
            "another in the middle of the loop.",
            examples=[0],
        ),
    ] = 0.5
    variation: Variation = None
    style: Style = None
    temperature: Temperature = 1.0
    gap: Gap = 0
    scale: Scale = 4
    ink: Ink = "ffffff"
    paper: Paper = "000000"
    render: Render = "pixels"
    pen: Pen = 1.0
    format: Annotated[
        Animation,
        Field(description="webp (lossless), gif or apng.", examples=["gif"]),
    ] = "webp"
    model: Model = None

    @model_validator(mode="after")
    def _check_morph(self) -> Self:
        if self.alphabet.kind == "digits" and _marks(self.start) != _marks(self.last):
            raise invalid("to", "must have the marks of from, in the same places")
        if self.alphabet.length(self.start) != self.alphabet.length(self.last):
            raise invalid("to", "must have as many digits as from")
        if self.format == "gif" and self.paper == "transparent":
            raise invalid("paper", "cannot be transparent in a GIF, which has no partial opacity")
        check_pen(self.pen, self.render, self.pixels // self.scale**2)
        check_size(self.pixels, "frames")
        return self

    @property
    def last(self) -> str:
        """What is shown in the middle of the loop: without labels, as many other pictures."""
        return self.end or self.start

    @property
    def labels(self) -> tuple[str, str]:
        """What the model draws of both ends."""
        if self.alphabet.kind != "digits":
            return self.start, self.last
        return without_marks(self.start), without_marks(self.last)

    @property
    def pixels(self) -> int:
        """See `Query.pixels`."""
        width = line_width(self.alphabet.length(self.start), self.gap, self.cell.width)
        return self.cell.height * width * self.frames * self.scale**2


def _marks(text: str) -> list[tuple[int, str]]:
    """The marks of a number with their places."""
    return [(place, sign) for place, sign in enumerate(text) if sign in MARKS]
