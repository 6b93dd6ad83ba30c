"""What a data set is made of: one description, for the endpoint and for the command."""

import math
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from app.request.error import invalid
from app.request.fields import Ink, Model, Paper, Render, Seed, Spacing, Style
from app.request.parameter import Decimal, Frequencies, Integer
from app.request.query import Query
from app.request.ranges import Range, RangeOf, Size, SizeOf
from app.request.schemas import BEARING, MAX_SAMPLES, line_width
from app.request.size import MAX_PIXELS

MAX_NUMBERS = 2**32 - 1  # in one data set of the command
MAX_WRITERS = 1_000_000
MAX_SIDE = 4096  # pixels of a picture's side, and of a margin
MAX_DATASET_PIXELS = 2**27  # of all pictures of one answer
MAX_PEN_DIGITS = 500  # of one answer, whose strokes a pen shapes: 10 to 17 ms each
WRITERS_VARIATION = 0.3  # two digits of a writer resemble each other, and are not the same

Switch = Literal["on", "off"]
WORDS = ("uniform", "balanced")  # that tell how often each label comes
# The formats that are one file, and the endings of its name.
ENDINGS = {"npz": "npz", "zip": "zip", "webdataset": "tar", "parquet": "parquet"}
GREY_FORMATS = ("npz", "idx")  # without colours
ONCE = Range(1, 1)


class Description(Query):
    """What is drawn in a data set. Where a range is given, each picture draws its own value."""

    count: Annotated[
        int, Integer(1, MAX_NUMBERS), Field(description="Number of pictures.", examples=[1000])
    ]
    seed: Seed = None
    length: Annotated[
        Range,
        RangeOf(Integer(1, 8)),
        Field(
            description="Digits in each picture, or a range; every length is equally likely.",
            examples=["1-8"],
        ),
    ] = Range(1, 1)
    variation: Annotated[
        Range | None,
        RangeOf(Decimal(0, 1)),
        Field(
            description="How far each digit departs from the handwriting of its number: 0 one for "
            "all, 1 a new one for each digit; or a range. "
            f"Default: 1, 0 with a style, {WRITERS_VARIATION} with writers.",
            examples=["0.2-0.6"],
        ),
    ] = None
    style: Style = None
    temperature: Annotated[
        Range,
        RangeOf(Decimal(0, 1.5)),
        Field(
            description="Scale of the noise: 0 gives the most typical digit, values above 1 more "
            "unusual ones; or a range.",
            examples=["0.8-1.2"],
        ),
    ] = Range(1, 1)
    gap: Annotated[
        Range,
        RangeOf(Integer(-12, 28)),
        Field(
            description="Pixels between digits before scaling, or a range; negative values "
            "overlap them.",
            examples=["0-4"],
        ),
    ] = Range(0, 0)
    zeros: Annotated[
        Switch,
        Field(
            description="on or off: whether a number of several digits may begin with 0.",
            examples=["off"],
        ),
    ] = "on"
    frequencies: Annotated[
        str,
        Frequencies(WORDS),
        Field(
            description="uniform: each digit is equally likely. balanced: of every 1,000 digits "
            "100 are of each. Or ten weights of the digits 0-9.",
            examples=["1,1,1,1,1,2,2,2,2,2"],
        ),
    ] = "uniform"
    writers: Annotated[
        int | None,
        Integer(1, MAX_WRITERS),
        Field(
            description="That many writers write all numbers in turn, and the labels name the "
            "writer. Default: a new handwriting for each picture.",
            examples=[500],
        ),
    ] = None
    spacing: Spacing = "cell"
    scale: Annotated[
        Range,
        RangeOf(Decimal(0.25, 16)),
        Field(
            description="Size of the digits, or a range: 1 is 28 pixels. Integers enlarge each "
            "pixel; others resample the digits.",
            examples=["0.8-1.1"],
        ),
    ] = Range(1, 1)
    size: Annotated[
        Size | None,
        SizeOf(MAX_SIDE),
        Field(
            description="Height x width of every picture in pixels. Default: what the numbers "
            "need.",
            examples=["40x320"],
        ),
    ] = None
    margin: Annotated[
        int, Integer(0, 256), Field(description="Pixels of paper on each side.", examples=[2])
    ] = 0
    placement: Annotated[
        Literal["left", "centre", "random"],
        Field(
            description="Where the number is in a picture with room to spare; left is centred "
            "vertically.",
            examples=["random"],
        ),
    ] = "centre"
    render: Render = "pixels"
    pen: Annotated[
        Range,
        RangeOf(Decimal(0.2, 2)),
        Field(
            description="Thickness of the strokes of ink, in multiples of the model's, or a range. "
            "Needs render=ink, and takes 10 to 17 ms for each digit.",
            examples=["0.7-1.4"],
        ),
    ] = ONCE
    ink: Ink = "ffffff"
    paper: Paper = "000000"
    boxes: Annotated[
        Switch,
        Field(
            description="on or off: whether the labels have the box of each digit's ink.",
            examples=["on"],
        ),
    ] = "off"
    format: str = "npz"
    model: Model = None

    @model_validator(mode="before")
    @classmethod
    def _check_labelled(cls, values: Any) -> Any:
        if cls.alphabet.kind == "pictures":
            raise invalid(
                "count",
                "is of labelled pictures, and this model, an unconditional VAE, knows no labels; "
                "ask /generate for pictures without labels",
            )
        return values

    @model_validator(mode="after")
    def _check_description(self) -> Self:
        if self.style is not None and self.writers is not None:
            raise invalid("writers", "have hands of their own; leave out style")
        if self.pen != ONCE and self.render != "ink":
            raise invalid("pen", "shapes ink; add render=ink, or leave out pen")
        if self.length.high > 1:
            self._check_frequencies()
        if self.format in GREY_FORMATS and (self.ink, self.paper) != ("ffffff", "000000"):
            raise invalid(
                "format",
                f"{self.format} holds grey levels without colours; leave out ink and paper",
            )
        self.check_size(int(self.length.high))
        return self

    @property
    def shares(self) -> Range:
        """How far digits depart from the hand of their number, from 0 to 1."""
        if self.variation is not None:
            return self.variation
        if self.writers is not None:
            return Range(WRITERS_VARIATION, WRITERS_VARIATION)
        return Range(0, 0) if self.style is not None else Range(1, 1)

    @property
    def weights(self) -> list[float] | None:
        """How often each label comes, as K weights; None where `frequencies` is a word."""
        if self.frequencies in WORDS:
            return None
        return [float(weight) for weight in self.frequencies.split(",")]

    def number_size(self, digits: int) -> Size:
        """The most pixels that a number of so many digits can take, without margins."""
        scale, gap = self.scale.high, int(self.gap.high)
        cell = self.cell
        if self.spacing == "tight":
            width = math.ceil(line_width(digits, gap, cell.width + 2 * BEARING) * scale)
        else:
            width = round((cell.width + gap) * scale) * (digits - 1) + round(cell.width * scale)
        return Size(round(cell.height * scale), width)

    def canvas(self, digits: int) -> Size:
        """The picture that holds every number of at most so many digits."""
        if self.size is not None:
            return self.size
        number = self.number_size(digits)
        return Size(number.height + 2 * self.margin, number.width + 2 * self.margin)

    def check_size(self, digits: int) -> None:
        """Check that numbers of so many digits have room, and that pictures are not too large.

        Raises:
            InvalidRequest: they have not, or they are.
        """
        number, canvas = self.number_size(digits), self.canvas(digits)
        room = Size(canvas.height - 2 * self.margin, canvas.width - 2 * self.margin)
        if number.height > room.height or number.width > room.width:
            raise invalid(
                "size",
                f"leaves {max(room.height, 0)}x{max(room.width, 0)} pixels for a number, and "
                f"{digits} digits can take {number}; ask for a larger size, a lower scale or gap, "
                "or fewer digits",
            )
        if canvas.height * canvas.width > MAX_PIXELS:
            raise invalid(
                "scale", f"makes pictures of {canvas} pixels; at most {MAX_PIXELS} are drawn"
            )

    def check_texts(self, longest: int) -> None:
        """Check that given numbers of at most so many characters can be drawn with these options.

        Raises:
            InvalidRequest: they cannot.
        """
        for name in ("length", "zeros", "frequencies"):
            if name in self.model_fields_set:
                raise invalid(name, "is for random numbers; leave it out where texts are given")
        self.check_size(longest)

    def _check_frequencies(self) -> None:
        if self.frequencies == "balanced" and (self.zeros == "off" or not self.length.fixed):
            raise invalid("frequencies", "can be balanced only with one length and zeros on")
        if self.zeros == "off" and self.weights is not None and not any(self.weights[1:]):
            raise invalid("frequencies", "has no first digit but 0, which zeros=off forbids")


class DatasetQuery(Description):
    """The query of `GET /dataset`."""

    count: Annotated[
        int, Integer(1, MAX_SAMPLES), Field(description="Number of pictures.", examples=[1000])
    ]
    format: Annotated[
        Literal["npz", "zip", "webdataset"],
        Field(
            description="npz: arrays for numpy. zip: PNG files and labels.csv. webdataset: a tar "
            "shard for WebDataset.",
            examples=["zip"],
        ),
    ] = "npz"

    texts: Annotated[
        str | None,
        Field(
            description="Numbers to write in turn, one a line. Default: random numbers.",
            examples=["3.14"],
        ),
    ] = None

    def check_texts(self, longest: int) -> None:
        """See `Description.check_texts`."""
        super().check_texts(longest)
        self._check_limits(longest)

    @model_validator(mode="after")
    def _check_count(self) -> Self:
        if self.texts is None:
            self._check_limits(int(self.length.high))
        return self

    def _check_limits(self, longest: int) -> None:
        """Check that an answer of numbers of at most so many characters is not too large."""
        if self.count * longest > MAX_SAMPLES:
            raise invalid("count", f"times length must be at most {MAX_SAMPLES} digits")
        if self.pen != ONCE and self.count * longest > MAX_PEN_DIGITS:
            raise invalid(
                "pen",
                f"shapes at most {MAX_PEN_DIGITS} digits in one answer, and count times length "
                f"is {self.count * longest}; ask for fewer, or leave out pen",
            )
        canvas = self.canvas(longest)
        if self.count * canvas.height * canvas.width > MAX_DATASET_PIXELS:
            raise invalid(
                "count",
                f"times {canvas} pixels must be at most {MAX_DATASET_PIXELS} pixels; "
                "ask for fewer or smaller pictures",
            )
