"""The parameters that several endpoints share, with their limits and examples."""

import random
from typing import Annotated, Literal

from pydantic import Field

from app.request.line import Line, MarkedLine
from app.request.parameter import Colour, Decimal, Hash, Integer, Token
from app.request.query import Query
from model.noise import MAX_SEED

SEED_BITS = MAX_SEED.bit_length()
MAX_DIGITS = 64

Digits = Annotated[
    str | None,
    Line(Query.alphabet, MAX_DIGITS),
    Field(
        alias=Query.alphabet.parameter,
        description=f"What to write: 1 to {MAX_DIGITS} of the digits 0-9. "
        "Kept as text, so leading zeros stay.",
        examples=["2018"],
    ),
]
Marked = Annotated[
    str | None,
    MarkedLine(MAX_DIGITS),
    Field(
        alias="text",
        # Without an example: the API page would send it beside that of digits.
        description="In place of digits: a number with marks such as 3.14, -5 or 12:30. Marks "
        "are point, comma, colon, minus, slash and space. The model draws the digits, as "
        "without the marks; the marks are strokes drawn by rule, in the slant and weight of "
        "the digits.",
    ),
]

Seed = Annotated[
    int | None,
    Integer(0, MAX_SEED),
    Field(
        description="The same seed and parameters give the same bytes. Default: chosen at "
        "random and returned in X-Seed.",
        examples=[7],
    ),
]
Model = Annotated[
    str | None,
    Hash(),
    Field(
        description="Draw with this model or refuse: the X-Model header of an answer. The answer "
        "may then be kept for a year, because another model has another address. "
        "Default: whichever model draws.",
    ),
]
Scale = Annotated[
    int,
    Integer(1, 16),
    Field(description="Enlarges the finished picture; never redraws it.", examples=[4]),
]
Temperature = Annotated[
    float,
    Decimal(0, 1.5),
    Field(
        description="Scale of the noise: 0 gives the most typical digit, values above 1 give "
        "more unusual ones.",
        examples=[0.8],
    ),
]
Variation = Annotated[
    float | None,
    Decimal(0, 1),
    Field(
        description="How far each digit departs from the handwriting of its line: 0 one for all, "
        "1 a new one for each digit. Default: 1, or 0 with a style.",
        examples=[0.3],
    ),
]
Style = Annotated[
    str | None,
    Token(1000),
    Field(description="The handwriting to use: the X-Style header of an answer of /restyle."),
]
Spacing = Annotated[
    Literal["cell", "tight"],
    Field(
        description="cell: pictures side by side, 28 pixels each as in MNIST. tight: set by "
        "their ink, digits on one baseline, as in writing.",
        examples=["tight"],
    ),
]
Gap = Annotated[
    int,
    Integer(-12, 28),
    Field(
        description="Pixels between digits before scaling; negative values overlap them.",
        examples=[-4],
    ),
]
Render = Annotated[
    Literal["pixels", "ink"],
    Field(
        description="pixels: squares of grey, as the model draws them. ink: smooth outlines, drawn "
        "at the size asked for.",
        examples=["ink"],
    ),
]
Pen = Annotated[
    float,
    Decimal(0.2, 2),
    Field(
        description="Thickness of the strokes of ink, in multiples of the model's: 0.2 a hairline, "
        "2 a brush. Needs render=ink.",
        examples=[1.5],
    ),
]
Ink = Annotated[str, Colour(), Field(description="Colour of the ink.", examples=["1a237e"])]
Paper = Annotated[
    str,
    Colour("transparent"),
    Field(description="Colour of the paper, or transparent.", examples=["transparent"]),
]


def chosen_seed(asked: int | None) -> int:
    """The seed of a request, or a random one where it has none."""
    return random.getrandbits(SEED_BITS) if asked is None else asked
