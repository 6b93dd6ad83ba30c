import pytest

from app.request.dataset import DatasetQuery
from app.request.error import InvalidRequest
from app.request.morph import MorphQuery
from app.request.query import Query
from app.request.ranges import Range
from app.request.schemas import (
    GenerateQuery,
    LatentMapQuery,
    RestyleQuery,
    hand_share,
)

REQUIRED: dict[type[Query], str] = {
    GenerateQuery: "digits=1",
    RestyleQuery: "digits=1",
    MorphQuery: "from=1&to=2",
    LatentMapQuery: "digit=1",
    DatasetQuery: "count=1",
}
DRAWINGS = (GenerateQuery, RestyleQuery)
SEEDED = (*DRAWINGS, MorphQuery, DatasetQuery)
COLOURED = (*DRAWINGS, MorphQuery, LatentMapQuery)
SIZE = "must be height x width in pixels, such as 32x128, each from 1 to 4096"
FREQUENCIES = (
    "must be uniform, balanced, or ten weights of the digits 0-9 with commas between them, "
    "at least one above 0"
)
Limits = tuple[tuple[type[Query], ...], str, str, str, str, str]
LIMITS: list[Limits] = [  # queries, parameter, lowest, highest, below, above
    (SEEDED, "seed", "0", "4294967295", "-1", "4294967296"),
    (DRAWINGS, "rows", "1", "16", "0", "17"),
    (DRAWINGS, "variation", "0", "1", "-0.1", "1.000000001"),
    ((*DRAWINGS, MorphQuery), "temperature", "0", "1.5", "-0.000000001", "1.500000001"),
    ((*DRAWINGS, MorphQuery), "gap", "-12", "28", "-13", "29"),
    (COLOURED, "scale", "1", "16", "0", "17"),
    ((RestyleQuery,), "label", "0", "9", "-1", "10"),
    ((MorphQuery,), "frames", "2", "120", "1", "121"),
    ((MorphQuery,), "fps", "1", "50", "0", "51"),
    ((MorphQuery,), "walk", "0", "1", "-1", "1.1"),
    ((LatentMapQuery,), "digit", "0", "9", "-1", "10"),
    ((LatentMapQuery,), "cells", "2", "32", "1", "33"),
    ((LatentMapQuery,), "span", "0", "4", "-1", "4.1"),
    ((DatasetQuery,), "count", "1", "60000", "0", "60001"),
]
RANGES = [  # of a data set: parameter, lowest, highest, below, above
    ("variation", "0", "1", "-0.1", "1.000000001"),
    ("temperature", "0", "1.5", "-0.000000001", "1.500000001"),
    ("gap", "-12", "28", "-13", "29"),
    ("length", "1", "8", "0", "9"),
    ("scale", "0.25", "16", "0.24", "16.1"),
]
EACH_LIMIT = [(query, *limit[1:]) for limit in LIMITS for query in limit[0]]
PENS = [  # a query, and why its pen is refused
    (GenerateQuery, "pen=0.5", "shapes ink; add render=ink, or leave out pen"),
    (LatentMapQuery, "pen=2", "shapes ink; add render=ink, or leave out pen"),
    *(
        (
            query,
            f"render=ink&pen=0.5&{text}",
            f"shapes at most 65536 pixels before scaling, and here are {area}; ask for fewer "
            "digits, rows or frames, or leave out pen",
        )
        for query, text, area in (
            (GenerateQuery, f"digits={'8' * 14}&rows=6", 65856),
            (MorphQuery, f"from={'1' * 7}&to={'2' * 7}&frames=12", 65856),
            (LatentMapQuery, "cells=10", 78400),
        )
    ),
]
WORDS: list[tuple[tuple[type[Query], ...], str, str]] = [
    (DRAWINGS, "spacing", "cell or tight"),
    (COLOURED, "render", "pixels or ink"),
    (DRAWINGS, "format", "png, webp, svg, json or npy"),
    ((MorphQuery,), "format", "webp, gif or apng"),
    ((LatentMapQuery,), "format", "png, webp or svg"),
    ((DatasetQuery,), "format", "npz, zip or webdataset"),
]
EACH_WORD = [(query, *words) for queries, *words in WORDS for query in queries]


def values(text: str) -> dict[str, str]:
    return dict(part.split("=") for part in text.split("&") if part)


def parsed(query: type[Query], text: str) -> Query:
    """The query with its required parameters, unless `text` gives them."""
    return query.model_validate({**values(REQUIRED[query]), **values(text)})


def errors(query: type[Query], text: str) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRequest) as caught:
        parsed(query, text)
    return [(error.field, error.message) for error in caught.value.errors]


@pytest.mark.parametrize(("query", "name", "low", "high", "below", "above"), EACH_LIMIT)
def test_number_at_its_edges_is_taken_and_past_them_refused(
    query: type[Query], name: str, low: str, high: str, below: str, above: str
) -> None:
    small = "&cells=2" if (query, name) == (LatentMapQuery, "scale") else ""  # see the sizes below
    for value in (low, high):
        taken = parsed(query, f"{name}={value}{small}").model_dump(by_alias=True)
        assert taken[name] == float(value)
    kind = "an integer" if name not in ("variation", "temperature", "walk", "span") else "a number"
    for value in (below, above, "", "x"):
        assert errors(query, f"{name}={value}") == [(name, f"must be {kind} from {low} to {high}")]


@pytest.mark.parametrize("query", COLOURED)
def test_pen_is_taken_from_hairline_to_brush_for_ink(query: type[Query]) -> None:
    few = "&frames=2" if query is MorphQuery else "&cells=2" if query is LatentMapQuery else ""
    for pen in ("0.2", "2"):
        assert parsed(query, f"render=ink&pen={pen}{few}").pen == float(pen)  # type: ignore[attr-defined]
    for pen in ("0.19", "2.01", "", "x"):
        assert errors(query, f"render=ink&pen={pen}{few}") == [
            ("pen", "must be a number from 0.2 to 2")
        ]


@pytest.mark.parametrize(("query", "text", "message"), PENS)
def test_pen_is_refused_for_pixels_and_for_too_many_digits(
    query: type[Query], text: str, message: str
) -> None:
    assert errors(query, text) == [("pen", message)]


def test_ink_is_refused_for_npy() -> None:
    assert errors(GenerateQuery, "render=ink&format=npy") == [
        ("format", "npy holds the model's own pixels; leave out render, or choose png")
    ]


@pytest.mark.parametrize(("name", "low", "high", "below", "above"), RANGES)
def test_range_is_one_number_or_two_within_the_limits(
    name: str, low: str, high: str, below: str, above: str
) -> None:
    ends = float(low), float(high)
    assert getattr(parsed(DatasetQuery, f"{name}={low}"), name) == Range(ends[0], ends[0])
    assert getattr(parsed(DatasetQuery, f"{name}={low}-{high}"), name) == Range(*ends)
    kind = "an integer" if name in ("gap", "length") else "a number"
    sentence = f"must be {kind} from {low} to {high}, or a range such as {low}-{high}"
    for value in (below, above, f"{low}-{above}", f"{below}-{high}", "", "x", f"{low}-", "1-1-1"):
        assert errors(DatasetQuery, f"{name}={value}") == [(name, sentence)]
    assert errors(DatasetQuery, f"{name}={high}-{low}") == [
        (name, "must have the lower end of its range first")
    ]


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("length=1-8&gap=-4--2", "count=1&length=1-8&gap=-4--2"),
        ("length=3-3&temperature=0.50-0.9", "count=1&length=3&temperature=0.5-0.9"),
        ("size=032x128&frequencies=balanced", "count=1&frequencies=balanced&size=32x128"),
        ("scale=1.0&temperature=1&length=1", "count=1"),
    ],
)
def test_description_of_a_data_set_has_one_spelling(text: str, canonical: str) -> None:
    query = parsed(DatasetQuery, text)
    assert query.canonical() == canonical
    assert parsed(DatasetQuery, canonical) == query


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        (
            "size=32x128&length=1-8",
            "size",
            "leaves 32x128 pixels for a number, and 8 digits can take 28x224; ask for a larger "
            "size, a lower scale or gap, or fewer digits",
        ),
        (
            "size=32x128&margin=3",
            "size",
            "leaves 26x122 pixels for a number, and 1 digits can take 28x28; ask for a larger "
            "size, a lower scale or gap, or fewer digits",
        ),
        ("size=32", "size", SIZE),
        ("size=0x32", "size", SIZE),
        ("size=32x4097", "size", SIZE),
        ("frequencies=1,2", "frequencies", FREQUENCIES),
        ("frequencies=0,0,0,0,0,0,0,0,0,0", "frequencies", FREQUENCIES),
        ("frequencies=1,1,1,1,1,1,1,1,1,-1", "frequencies", FREQUENCIES),
        (
            "frequencies=balanced&length=2&zeros=off",
            "frequencies",
            "can be balanced only with one length and zeros on",
        ),
        (
            "frequencies=1,0,0,0,0,0,0,0,0,0&length=2&zeros=off",
            "frequencies",
            "has no first digit but 0, which zeros=off forbids",
        ),
        ("writers=5&style=abc", "writers", "have hands of their own; leave out style"),
        ("ink=f00", "format", "npz holds grey levels without colours; leave out ink and paper"),
        (
            "count=1000&scale=16",
            "count",
            "times 448x448 pixels must be at most 134217728 pixels; "
            "ask for fewer or smaller pictures",
        ),
    ],
)
def test_data_set_that_cannot_be_drawn_is_refused(text: str, field: str, message: str) -> None:
    assert errors(DatasetQuery, text) == [(field, message)]


@pytest.mark.parametrize(("query", "name", "words"), EACH_WORD)
def test_word_of_the_list_is_taken_and_another_refused(
    query: type[Query], name: str, words: str
) -> None:
    for word in words.replace(" or ", ", ").split(", "):
        assert getattr(parsed(query, f"{name}={word}"), name) == word
        assert errors(query, f"{name}={word.upper()}") == [(name, f"must be {words}")]
    assert errors(query, f"{name}=") == [(name, f"must be {words}")]


@pytest.mark.parametrize("query", COLOURED)
def test_colours_are_kept_in_one_spelling(query: type[Query]) -> None:
    both = parsed(query, "ink=#ABC&paper=transparent")
    assert both.canonical().endswith("ink=aabbcc&paper=transparent")
    colour = "must be a colour of 3 or 6 hex digits, such as 1a2b3c"
    assert errors(query, "ink=transparent&paper=red") == [
        ("ink", colour),
        ("paper", f"{colour}, or transparent"),
    ]


@pytest.mark.parametrize("query", REQUIRED)
def test_query_of_what_is_required_is_its_own_canonical_form(query: type[Query]) -> None:
    assert parsed(query, "").canonical() == REQUIRED[query]


@pytest.mark.parametrize("query", REQUIRED)
def test_query_without_what_is_required_names_it(query: type[Query]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        query.model_validate({})
    names = [item.split("=")[0] for item in REQUIRED[query].split("&")]
    assert [(error.field, error.message) for error in caught.value.errors] == [
        (name, "is required") for name in names
    ]


@pytest.mark.parametrize(
    ("query", "taken", "refused", "field"),
    [  # the pixels of one picture, of all frames, and of the longest side
        (
            GenerateQuery,
            "digits=123456789&rows=9&scale=16",
            "digits=1234567&rows=12&scale=16",
            "scale",
        ),
        (
            GenerateQuery,
            "digits=" + "1" * 36 + "&scale=16",
            "digits=" + "1" * 37 + "&scale=16",
            "scale",
        ),
        (
            GenerateQuery,
            "digits=1111&scale=16&rows=16",
            "digits=1111&scale=16&gap=28&rows=16",
            "scale",
        ),
        (MorphQuery, "frames=83&scale=16", "frames=84&scale=16", "frames"),
        (LatentMapQuery, "cells=9&scale=16", "cells=10&scale=16", "scale"),
        (DatasetQuery, "count=7500&length=8", "count=7501&length=8", "count"),
    ],
)
def test_size_at_the_edge_is_taken_and_past_it_refused(
    query: type[Query], taken: str, refused: str, field: str
) -> None:
    parsed(query, taken)
    ((found, _),) = errors(query, refused)
    assert found == field


def test_size_sentence_says_what_was_found_and_what_is_possible() -> None:
    assert errors(LatentMapQuery, "cells=10&scale=16") == [
        (
            "scale",
            "makes a picture of 20070400 pixels, at most 16777216 are drawn; "
            "ask for fewer digits or rows, or a lower scale",
        )
    ]
    assert errors(GenerateQuery, "digits=" + "1" * 37 + "&scale=16") == [
        ("scale", "makes a side of 16576 pixels, at most 16383")
    ]


@pytest.mark.parametrize("colour", ["ink=000000", "paper=ffffff", "paper=transparent"])
@pytest.mark.parametrize("query", DRAWINGS)
def test_npy_with_colours_is_refused(query: type[Query], colour: str) -> None:
    message = "npy holds grey levels without colours; leave out ink and paper"
    assert errors(query, f"format=npy&{colour}") == [("format", message)]
    parsed(query, "format=npy&ink=FFF&paper=000")  # the colours that there are


def test_gif_with_transparent_paper_is_refused() -> None:
    message = "cannot be transparent in a GIF, which has no partial opacity"
    assert errors(MorphQuery, "format=gif&paper=transparent") == [("paper", message)]
    parsed(MorphQuery, "format=apng&paper=transparent")


@pytest.mark.parametrize(("start", "end"), [("1", "22"), ("22", "1"), ("1" * 16, "2" * 15)])
def test_morph_of_different_lengths_is_refused(start: str, end: str) -> None:
    assert errors(MorphQuery, f"from={start}&to={end}") == [
        ("to", "must have as many digits as from")
    ]


@pytest.mark.parametrize("end", ["271", "2.71", "27,1", "-2.7"])
def test_morph_between_different_marks_is_refused(end: str) -> None:
    assert errors(MorphQuery, f"from=31.4&to={end}") == [
        ("to", "must have the marks of from, in the same places")
    ]
    parsed(MorphQuery, "from=31.4&to=27.1")


@pytest.mark.parametrize("name", ["from", "to"])
def test_morph_digits_past_their_edge_are_refused(name: str) -> None:
    parsed(MorphQuery, f"from={'1' * 16}&to={'2' * 16}&scale=1")
    message = (
        "must be 1 to 16 of the digits 0-9 and the marks . , : - / and space; found 17 characters"
    )
    assert errors(MorphQuery, f"{name}={'1' * 17}") == [(name, message)]


@pytest.mark.parametrize("name", ["start", "end"])
def test_morph_name_of_the_field_is_unknown(name: str) -> None:
    ((field, message),) = errors(MorphQuery, f"{name}=1")
    assert field == "query"
    assert message.startswith("has an unknown parameter; known are from, to, seed,")


def test_restyle_with_style_is_refused() -> None:
    message = "comes from the picture here; use it with /generate instead"
    assert errors(RestyleQuery, "style=abc") == [("style", message)]


def test_style_past_its_longest_is_refused() -> None:
    parsed(GenerateQuery, "style=" + "a" * 1000)
    assert errors(GenerateQuery, "style=" + "a" * 1001) == [
        ("style", "must have at most 1000 characters")
    ]


@pytest.mark.parametrize(
    ("variation", "style", "share"),
    [(None, None, 1), (None, "abc", 0), (0.3, "abc", 0.3), (0.0, None, 0)],
)
def test_hand_share_is_the_variation_or_its_default(
    variation: float | None, style: str | None, share: float
) -> None:
    assert hand_share(variation, style) == share


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("digits=123", 84),
        ("digits=123&gap=-12", 60),
        ("digits=123&gap=28", 140),
        ("digits=123&spacing=tight", 90),
        ("digits=1&spacing=tight&gap=-12", 30),
    ],
)
def test_width_is_as_wide_as_a_line_can_be(text: str, width: int) -> None:
    query = parsed(GenerateQuery, text)
    assert isinstance(query, GenerateQuery)
    assert query.width == width


def test_pixels_are_those_of_the_picture_or_of_all_frames() -> None:
    sizes: dict[str, tuple[type[Query], int]] = {
        "digits=2018&rows=3&scale=2&gap=1": (GenerateQuery, 3 * 56 * 2 * 115),
        "from=12&to=34&frames=5&scale=3": (MorphQuery, 5 * 84 * 168),
        "digit=1&cells=4&scale=2": (LatentMapQuery, 224**2),
        "count=7": (DatasetQuery, 0),
    }
    for text, (query, pixels) in sizes.items():
        assert parsed(query, text).pixels == pixels


def test_pixels_beyond_the_operators_limit_are_refused() -> None:
    query = parsed(GenerateQuery, "digits=2018&scale=2")
    query.check_pixels(56 * 224)
    with pytest.raises(InvalidRequest, match="at most 12543 are drawn here; ask for less"):
        query.check_pixels(56 * 224 - 1)
