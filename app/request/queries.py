"""The queries for the models of an alphabet: what can be asked of them, and in which limits."""

from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import Field, create_model

from app.request.dataset import WORDS, DatasetQuery, Description
from app.request.fields import MAX_DIGITS
from app.request.line import Label, Line
from app.request.morph import MAX_MORPH_DIGITS, MorphQuery
from app.request.parameter import Decimal, Frequencies, Integer
from app.request.query import Query
from app.request.ranges import Range, RangeOf, Size
from app.request.schemas import GenerateQuery, LatentMapQuery, RestyleQuery
from model.alphabet import Alphabet

if TYPE_CHECKING:  # the service does without it
    from app.request.dataset_options import DatasetOptions

AnyQuery = TypeVar("AnyQuery", bound=Query)
Fields = dict[str, Any]  # name -> the type and the default

SPELLING = {
    "characters": "Capitals do not count, unless the model tells them apart.",
    "words": "Commas between them; a comma or backslash of a name has a backslash before it.",
}
CLOSEST = 12 / 28  # how far a gap may overlap two pictures, in widths of a picture


@dataclass(frozen=True)
class Queries:
    """The query of each endpoint, and the options of the command for data sets."""

    generate: type[GenerateQuery] = GenerateQuery
    restyle: type[RestyleQuery] = RestyleQuery
    morph: type[MorphQuery] = MorphQuery
    latent_map: type[LatentMapQuery] = LatentMapQuery
    dataset: type[DatasetQuery] = DatasetQuery
    description: type[Description] = Description

    @cached_property
    def dataset_options(self) -> "type[DatasetOptions]":
        """What the command for data sets can be asked for; made on first use."""
        from app.request.dataset_options import DatasetOptions

        alphabet, cell, absent = self.dataset.alphabet, self.dataset.cell, self.dataset.absent
        if (alphabet, cell) == (Query.alphabet, Query.cell):
            return DatasetOptions
        fields = _dataset(alphabet, cell)
        return _variant(DatasetOptions, fields, alphabet, cell, tuple(absent))

    def of(self, base: type[AnyQuery]) -> type[AnyQuery]:
        """That of these queries which takes the place of a query of digits.

        Raises:
            KeyError: there is none.
        """
        by_base = {field.default: name for name, field in self.__dataclass_fields__.items()}
        found: type[AnyQuery] = getattr(self, by_base[base])
        return found


@lru_cache(maxsize=16)
def queries_of(alphabet: Alphabet, cell: Size) -> Queries:
    """The queries for models that write an alphabet in pictures of one size."""
    if (alphabet, cell) == (Query.alphabet, Query.cell):
        return Queries()
    make = partial(_variant, alphabet=alphabet, cell=cell)
    line, gap = _line(alphabet), _gap(cell)
    dataset = _dataset(alphabet, cell)
    digits, unlabelled = alphabet.kind == "digits", alphabet.kind == "pictures"
    zeros = () if digits else ("zeros",)
    marks = () if digits else ("marked",)
    label, without_label = _label(alphabet), ("label",) if unlabelled else ()
    return Queries(
        generate=make(GenerateQuery, {**line, **gap}, absent=marks),
        restyle=make(RestyleQuery, {**line, **gap, **label}, absent=(*marks, *without_label)),
        morph=make(MorphQuery, {**_ends(alphabet), **gap}, absent=("to",) if unlabelled else ()),
        latent_map=make(LatentMapQuery, _mapped(alphabet), absent=without_label),
        dataset=make(DatasetQuery, dataset, absent=zeros),
        description=make(Description, dataset, absent=zeros),
    )


def _variant(
    base: type[AnyQuery],
    fields: Fields,
    alphabet: Alphabet,
    cell: Size,
    absent: tuple[str, ...] = (),
) -> type[AnyQuery]:
    """A query with other fields in the place of some of its own."""
    made: type[AnyQuery] = create_model(
        base.__name__,
        __base__=base,
        __module__=base.__module__,
        __cls_kwargs__={"alphabet": alphabet, "cell": cell, "absent": absent},
        **fields,
    )
    return made


def _line(alphabet: Alphabet) -> Fields:
    if alphabet.kind == "digits":
        return {}
    what = f"What to write: 1 to {MAX_DIGITS} of {alphabet.description}. "
    if alphabet.kind == "pictures":
        what = f"How many pictures to draw in a line. The model draws {alphabet.description}. "
    described = f"{what}{SPELLING.get(alphabet.kind, '')}".strip()
    return {
        "line": _text(alphabet, MAX_DIGITS, alphabet.parameter, described),
        "marked": (str | None, None),  # marks are for numbers
    }


def _ends(alphabet: Alphabet) -> Fields:
    """What a morph begins with and leads to: from noise to noise where there are no labels."""
    if alphabet.kind == "digits":
        return {}
    if alphabet.kind == "pictures":
        described = "How many pictures in a line; each turns into another one."
        walk = Field(description="How far the noise moves on its sphere; 1 reaches another picture")
        return {
            "start": _text(alphabet, MAX_MORPH_DIGITS, alphabet.parameter, described),
            "end": (Annotated[str | None, Field(alias="to")], None),
            "walk": (Annotated[float, Decimal(0, 1), walk], 1.0),
        }
    first, last = "What to begin and end with.", "What is in the middle, of the same length."
    return {
        "start": _text(alphabet, MAX_MORPH_DIGITS, "from", first),
        "end": _text(alphabet, MAX_MORPH_DIGITS, "to", last),
    }


def _text(alphabet: Alphabet, most: int, alias: str, description: str) -> tuple[Any, Any]:
    field = Field(alias=alias, description=description, examples=[alphabet.sample])
    return Annotated[str, Line(alphabet, most), field], ...


def _label(alphabet: Alphabet) -> Fields:
    """The label of an upload."""
    if alphabet.kind == "digits":
        return {}
    if alphabet.kind == "pictures":
        return {"label": (str | None, None)}
    described = (
        f"What the picture shows, one of {alphabet.description}. Default: recognised by the "
        "model, and returned in X-Label."
    )
    field = Field(description=described, examples=[alphabet.names[0]])
    return {"label": (Annotated[str | None, Label(alphabet), field], None)}


def _mapped(alphabet: Alphabet) -> Fields:
    """The label of a map."""
    if alphabet.kind == "digits":
        return {}
    if alphabet.kind == "pictures":
        return {"label": (Annotated[str | None, Field(alias="label")], None)}
    described = f"What to map, one of {alphabet.description}."
    field = Field(alias="label", description=described, examples=[alphabet.names[0]])
    return {"label": (Annotated[str, Label(alphabet), field], ...)}


def _gap(cell: Size) -> Fields:
    """The gap in a line: as far as in one of MNIST, in widths of a picture."""
    if cell == Query.cell:
        return {}
    field = Field(description=GenerateQuery.model_fields["gap"].description, examples=[-1])
    return {"gap": (Annotated[int, _gaps_of(cell), field], 0)}


def _gap_range(cell: Size) -> Fields:
    if cell == Query.cell:
        return {}
    field = Field(description=Description.model_fields["gap"].description, examples=["0-1"])
    return {"gap": (Annotated[Range, RangeOf(_gaps_of(cell)), field], Range(0, 0))}


def _gaps_of(cell: Size) -> Integer:
    return Integer(-int(cell.width * CLOSEST), cell.width)


def _dataset(alphabet: Alphabet, cell: Size) -> Fields:
    return {**_frequencies(alphabet), **_gap_range(cell)}


def _frequencies(alphabet: Alphabet) -> Fields:
    if alphabet.kind in ("digits", "pictures"):
        return {}
    count = len(alphabet.names)
    what = f"{count} weights, one for each label"
    described = f"uniform or balanced, or {what} in the order of label_names of /model."
    field = Field(description=described, examples=["balanced"])
    return {"frequencies": (Annotated[str, Frequencies(WORDS, count, what), field], WORDS[0])}
