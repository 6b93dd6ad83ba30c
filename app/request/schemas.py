"""What each request may say, with its limits and examples."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from app.request.query import Colour, Decimal, Digits, Query, Whole, fault
from model.noise import MAX_SEED

MAX_DIGITS = 64
MAX_ROWS = 16
MAX_PIXELS = 2**24  # of one picture, or of all frames of an animation: 16 MB of grey levels
MAX_SIDE = 16383  # pixels, the most that WebP can hold
MAX_MORPH_DIGITS = 16
MAX_SAMPLES = 60_000  # digits in one data set, as many as MNIST has for training
CELL = 28  # pixels, side of one digit
BEARING = 1  # pixels left and right of each digit in tight spacing, before the gap

Format = Literal["png", "webp", "svg", "json", "npy"]
Animation = Literal["webp", "gif", "apng"]
Seed = Annotated[
    Annotated[int, Whole(0, MAX_SEED)] | None,
    Field(
        description="The same seed and parameters give the same bytes. Left out: drawn at "
        "random and returned in X-Seed.",
        examples=[7],
    ),
]
Scale = Annotated[
    int,
    Whole(1, 16),
    Field(description="Enlarges the finished picture; never redraws it.", examples=[4]),
]
Temperature = Annotated[
    float,
    Decimal(0, 1.5),
    Field(
        description="Scale of the noise: 0 the most typical digit, above 1 more unusual ones.",
        examples=[0.8],
    ),
]
Variation = Annotated[
    Annotated[float, Decimal(0, 1)] | None,
    Field(
        description="How far each digit departs from its line's hand: 0 one hand exactly, "
        "1 every digit its own. Left out: 1, or 0 where a style is given.",
        examples=[0.3],
    ),
]
Style = Annotated[
    Annotated[str, StringConstraints(max_length=1000)] | None,
    Field(description="A hand to write in: X-Style of an answer of /restyle."),
]
Gap = Annotated[
    int,
    Whole(-12, 28),
    Field(description="Pixels between digits before scaling; negative overlaps.", examples=[-4]),
]
Ink = Annotated[str, Colour(), Field(description="Colour of the ink.", examples=["1a237e"])]
Paper = Annotated[
    str,
    Colour("transparent"),
    Field(description="Colour of the paper, or transparent.", examples=["transparent"]),
]


class Drawing(Query):
    """What every drawing takes, whatever comes out in the end."""

    digits: Annotated[
        str,
        Digits(MAX_DIGITS),
        Field(
            description=f"What to write: 1 to {MAX_DIGITS} of the digits 0-9. "
            "Kept as text, so leading zeros stay.",
            examples=["2018"],
        ),
    ]
    seed: Seed = None
    rows: Annotated[
        int,
        Whole(1, MAX_ROWS),
        Field(description="That many lines, each another hand.", examples=[3]),
    ] = 1
    variation: Variation = None
    temperature: Temperature = 1.0
    style: Style = None
    spacing: Annotated[
        Literal["cell", "tight"],
        Field(
            description="cell: 28 pixels a digit, as MNIST. tight: digits set by their ink on "
            "one baseline, as writing is.",
            examples=["tight"],
        ),
    ] = "cell"
    gap: Gap = 0
    scale: Scale = 1
    ink: Ink = "ffffff"
    paper: Paper = "000000"
    format: Annotated[
        Format | None,
        Field(
            description="png, webp (lossless), svg (traced outlines), json (facts and a PNG for "
            "each digit) or npy (grey levels). Left out: by the Accept header, PNG where it may.",
            examples=["png"],
        ),
    ] = None

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.format == "npy" and (self.ink, self.paper) != ("ffffff", "000000"):
            raise fault("format", "npy holds grey levels without colours; leave out ink and paper")
        height, width = CELL * self.rows * self.scale, self.widest * self.scale
        check_size(height, width, "scale")
        return self

    def in_format(self, name: str) -> Self:
        """The same drawing in a format; PNG is the default and goes without saying."""
        return self.model_copy(update={"format": None if name == "png" else name})

    @property
    def count(self) -> int:
        """How many digits are drawn, all lines together."""
        return len(self.digits) * self.rows

    @property
    def widest(self) -> int:
        """The widest that a line can come out, in pixels before scaling."""
        bearings = 2 * BEARING if self.spacing == "tight" else 0
        return line_width(len(self.digits), self.gap, CELL + bearings)


class GenerateQuery(Drawing):
    """The query of `GET /generate`."""


class RestyleQuery(Drawing):
    """The query of `POST /restyle`."""

    label: Annotated[
        Annotated[int, Whole(0, 9)] | None,
        Field(
            description="The digit that the picture shows. Left out: read by the model itself, "
            "and returned in X-Label.",
            examples=[7],
        ),
    ] = None

    @model_validator(mode="after")
    def _check_style(self) -> Self:
        if self.style is not None:
            raise fault("style", "comes from the picture here; use it with /generate instead")
        return self


class MorphQuery(Query):
    """The query of `GET /morph`."""

    start: Annotated[
        str,
        Digits(MAX_MORPH_DIGITS),
        Field(alias="from", description="The number to begin and end with.", examples=["2018"]),
    ]
    end: Annotated[
        str,
        Digits(MAX_MORPH_DIGITS),
        Field(
            alias="to",
            description="The number to go to and come back from, of the same length.",
            examples=["2019"],
        ),
    ]
    seed: Seed = None
    frames: Annotated[
        int, Whole(2, 120), Field(description="Pictures in the loop.", examples=[24])
    ] = 24
    fps: Annotated[int, Whole(1, 50), Field(description="Pictures a second.", examples=[12])] = 12
    walk: Annotated[
        float,
        Decimal(0, 1),
        Field(
            description="How far the noise walks on its sphere: 0 keeps the hand, 1 reaches "
            "another one at the far end.",
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
    format: Annotated[
        Animation,
        Field(description="webp (lossless), gif or apng.", examples=["gif"]),
    ] = "webp"

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if len(self.start) != len(self.end):
            raise fault("to", "must have as many digits as from")
        if self.format == "gif" and self.paper == "transparent":
            raise fault("paper", "cannot be transparent in a GIF, which has no half-clear pixels")
        width = line_width(len(self.start), self.gap)
        check_size(CELL * self.scale * self.frames, width * self.scale, "frames", sides=False)
        return self


class LatentMapQuery(Query):
    """The query of `GET /latent-map`."""

    digit: Annotated[int, Whole(0, 9), Field(description="The digit to map.", examples=[7])]
    cells: Annotated[
        int, Whole(2, 32), Field(description="Digits along each side of the map.", examples=[11])
    ] = 11
    span: Annotated[
        float,
        Decimal(0, 4),
        Field(description="The edge, in standard deviations of the noise.", examples=[2]),
    ] = 2.0
    style: Annotated[
        Style, Field(description="The hand in the middle; left out: the most typical digit.")
    ] = None
    scale: Scale = 1
    ink: Ink = "ffffff"
    paper: Paper = "000000"
    format: Annotated[
        Literal["png", "webp", "svg"], Field(description="Of the sheet.", examples=["png"])
    ] = "png"

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        side = CELL * self.cells * self.scale
        check_size(side, side, "scale")
        return self


class DatasetQuery(Query):
    """The query of `GET /dataset`."""

    count: Annotated[
        int, Whole(1, MAX_SAMPLES), Field(description="Pictures in the data set.", examples=[1000])
    ]
    seed: Seed = None
    length: Annotated[
        int, Whole(1, 8), Field(description="Digits in each picture: whole numbers.", examples=[4])
    ] = 1
    variation: Variation = None
    style: Style = None
    temperature: Temperature = 1.0
    gap: Gap = 0
    format: Annotated[
        Literal["npz", "zip"],
        Field(
            description="npz: arrays `images` (count, 28, width) and `labels` (text). "
            "zip: PNG files and labels.csv.",
            examples=["npz"],
        ),
    ] = "npz"

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.count * self.length > MAX_SAMPLES:
            raise fault("count", f"times length must be at most {MAX_SAMPLES} digits")
        return self


def hand_share(variation: float | None, style: str | None) -> float:
    """How far digits depart from their line's hand, with the default of `variation` filled in.

    A style that was asked for is kept unless `variation` says otherwise; without one every digit
    has its own hand.
    """
    if variation is not None:
        return variation
    return 1.0 if style is None else 0.0


def line_width(count: int, gap: int, cell: int = CELL) -> int:
    """Pixels that `count` digits take side by side, each `cell` wide, with `gap` between two."""
    return (cell + gap) * (count - 1) + cell


def check_size(height: int, width: int, field: str, sides: bool = True) -> None:
    """Refuse a picture that would be too large to make for everybody's good.

    Raises:
        PydanticCustomError: a fault of `field`.
    """
    if height * width > MAX_PIXELS:
        raise fault(
            field,
            f"makes a picture of {height * width} pixels, at most {MAX_PIXELS} are drawn; "
            f"ask for fewer digits or rows, or a lower {field}",
        )
    if sides and max(height, width) > MAX_SIDE:
        raise fault(field, f"makes a side of {max(height, width)} pixels, at most {MAX_SIDE}")
