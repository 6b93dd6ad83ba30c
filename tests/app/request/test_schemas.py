import pytest

from app.api.errors import InvalidRequest
from app.request.query import Query
from app.request.schemas import (
    DatasetQuery,
    GenerateQuery,
    LatentMapQuery,
    MorphQuery,
    RestyleQuery,
    hand_share,
)
from tests.app.conftest import AssertProblem

DIGITS = "must be 1 to 64 of the digits 0-9; "
SEED = "must be a whole number from 0 to 4294967295"
UNKNOWN = (
    "has a parameter that is not known here; known are digits, seed, rows, variation, "
    "temperature, style, spacing, gap, scale, ink, paper, format"
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
Limits = tuple[tuple[type[Query], ...], str, str, str, str, str]
LIMITS: list[Limits] = [  # queries, parameter, lowest, highest, below, above
    (SEEDED, "seed", "0", "4294967295", "-1", "4294967296"),
    (DRAWINGS, "rows", "1", "16", "0", "17"),
    ((*DRAWINGS, DatasetQuery), "variation", "0", "1", "-0.1", "1.000000001"),
    (SEEDED, "temperature", "0", "1.5", "-0.000000001", "1.500000001"),
    (SEEDED, "gap", "-12", "28", "-13", "29"),
    (COLOURED, "scale", "1", "16", "0", "17"),
    ((RestyleQuery,), "label", "0", "9", "-1", "10"),
    ((MorphQuery,), "frames", "2", "120", "1", "121"),
    ((MorphQuery,), "fps", "1", "50", "0", "51"),
    ((MorphQuery,), "walk", "0", "1", "-1", "1.1"),
    ((LatentMapQuery,), "digit", "0", "9", "-1", "10"),
    ((LatentMapQuery,), "cells", "2", "32", "1", "33"),
    ((LatentMapQuery,), "span", "0", "4", "-1", "4.1"),
    ((DatasetQuery,), "count", "1", "60000", "0", "60001"),
    ((DatasetQuery,), "length", "1", "8", "0", "9"),
]
EACH_LIMIT = [(query, *limit[1:]) for limit in LIMITS for query in limit[0]]
WORDS: list[tuple[tuple[type[Query], ...], str, str]] = [
    (DRAWINGS, "spacing", "cell or tight"),
    (DRAWINGS, "format", "png, webp, svg, json or npy"),
    ((MorphQuery,), "format", "webp, gif or apng"),
    ((LatentMapQuery,), "format", "png, webp or svg"),
    ((DatasetQuery,), "format", "npz or zip"),
]
EACH_WORD = [(query, *words) for queries, *words in WORDS for query in queries]


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ("", "digits", "is required"),
        ("digits=", "digits", DIGITS + "found none"),
        ("digits=12a4", "digits", DIGITS + "character 3 is none of them"),
        ("digits=-1", "digits", DIGITS + "character 1 is none of them"),
        ("digits=1.5", "digits", DIGITS + "character 2 is none of them"),
        ("digits=%201", "digits", DIGITS + "character 1 is none of them"),
        ("digits=1%0A", "digits", DIGITS + "character 2 is none of them"),
        ("digits=%D9%A3", "digits", DIGITS + "character 1 is none of them"),  # Arabic three
        ("digits=%EF%BC%93", "digits", DIGITS + "character 1 is none of them"),  # fullwidth
        ("digits=%C2%B2", "digits", DIGITS + "character 1 is none of them"),  # superscript
        ("digits=%FF", "digits", DIGITS + "character 1 is none of them"),  # no UTF-8
        ("digits=1%00", "digits", DIGITS + "character 2 is none of them"),
        ("digits=" + "1" * 65, "digits", DIGITS + "found 65 characters"),
        ("digits=1&seed=", "seed", SEED),
        ("digits=1&seed=-1", "seed", SEED),
        ("digits=1&seed=1.0", "seed", SEED),
        ("digits=1&seed=4294967296", "seed", SEED),
        ("digits=1&seed=" + "0" * 11, "seed", SEED),
        ("digits=1&seed=%D9%A3", "seed", SEED),
        ("digits=1&digits=2", "digits", "is given twice"),
        ("digits=1&sede=7", "query", UNKNOWN),
        ("digits=1&sede=7&sede=8", "query", "is given twice"),
    ],
)
def test_generate_bad_query_is_422(
    assert_problem: AssertProblem, query: str, field: str, message: str
) -> None:
    problem = assert_problem(f"/generate?{query}", 422)
    assert [(error.field, error.message) for error in problem.errors] == [(field, message)]
    assert problem.detail == f"{field} {message}."


def test_generate_every_fault_is_named(assert_problem: AssertProblem) -> None:
    problem = assert_problem("/generate?digits=x&seed=y&z=1", 422)
    assert [error.field for error in problem.errors] == ["digits", "seed", "query"]


def test_generate_bad_query_is_not_echoed(assert_problem: AssertProblem) -> None:
    problem = assert_problem("/generate?digits=<script>&<img>=1", 422)
    assert "<" not in problem.model_dump_json()


@pytest.mark.parametrize("query", ["digits=0", "digits=" + "9" * 64, "digits=1&seed=0"])
def test_query_at_the_edge_is_taken(query: str) -> None:
    GenerateQuery.parse(query.encode())


def test_query_highest_seed_is_taken() -> None:
    query = GenerateQuery.parse(b"digits=0042&seed=4294967295")
    assert (query.digits, query.seed) == ("0042", 4294967295)


def test_query_without_seed_has_none() -> None:
    assert GenerateQuery.parse(b"digits=1").seed is None


def parsed(query: type[Query], text: str) -> Query:
    """The query with its required parameters, where `text` does not give them."""
    given = {item.split("=")[0] for item in text.split("&")}
    required = [item for item in REQUIRED[query].split("&") if item.split("=")[0] not in given]
    return query.parse("&".join([*required, text] if text else required).encode())


def faults(query: type[Query], text: str) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRequest) as caught:
        parsed(query, text)
    return [(error.field, error.message) for error in caught.value.errors]


@pytest.mark.parametrize(("query", "name", "low", "high", "below", "above"), EACH_LIMIT)
def test_number_at_its_edges_is_taken_and_past_them_refused(
    query: type[Query], name: str, low: str, high: str, below: str, above: str
) -> None:
    small = "&cells=2" if (query, name) == (LatentMapQuery, "scale") else ""  # see the sizes below
    for value in (low, high):
        assert getattr(parsed(query, f"{name}={value}{small}"), name) == float(value)
    kind = (
        "a whole number" if name not in ("variation", "temperature", "walk", "span") else "a number"
    )
    for value in (below, above, "", "x"):
        assert faults(query, f"{name}={value}") == [(name, f"must be {kind} from {low} to {high}")]


@pytest.mark.parametrize(("query", "name", "words"), EACH_WORD)
def test_word_of_the_list_is_taken_and_another_refused(
    query: type[Query], name: str, words: str
) -> None:
    for word in words.replace(" or ", ", ").split(", "):
        assert getattr(parsed(query, f"{name}={word}"), name) == word
        assert faults(query, f"{name}={word.upper()}") == [(name, f"must be {words}")]
    assert faults(query, f"{name}=") == [(name, f"must be {words}")]


@pytest.mark.parametrize("query", COLOURED)
def test_colours_are_kept_in_one_spelling(query: type[Query]) -> None:
    both = parsed(query, "ink=%23ABC&paper=transparent")
    assert both.canonical().endswith("ink=aabbcc&paper=transparent")
    colour = "must be a colour of 3 or 6 hex digits, such as 1a2b3c"
    assert faults(query, "ink=transparent&paper=red") == [
        ("ink", colour),
        ("paper", f"{colour}, or transparent"),
    ]


@pytest.mark.parametrize("query", REQUIRED)
def test_query_of_what_is_required_is_its_own_canonical_form(query: type[Query]) -> None:
    assert parsed(query, "").canonical() == REQUIRED[query]
    assert parsed(query, "").canonical() == query.parse(REQUIRED[query].encode()).canonical()


@pytest.mark.parametrize("query", REQUIRED)
def test_query_without_what_is_required_names_it(query: type[Query]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        query.parse(b"")
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
    ((found, _),) = faults(query, refused)
    assert found == field


def test_size_sentence_says_what_was_found_and_what_is_possible() -> None:
    assert faults(LatentMapQuery, "cells=10&scale=16") == [
        (
            "scale",
            "makes a picture of 20070400 pixels, at most 16777216 are drawn; "
            "ask for fewer digits or rows, or a lower scale",
        )
    ]
    assert faults(GenerateQuery, "digits=" + "1" * 37 + "&scale=16") == [
        ("scale", "makes a side of 16576 pixels, at most 16383")
    ]


@pytest.mark.parametrize("colour", ["ink=000000", "paper=ffffff", "paper=transparent"])
@pytest.mark.parametrize("query", DRAWINGS)
def test_npy_with_colours_is_refused(query: type[Query], colour: str) -> None:
    message = "npy holds grey levels without colours; leave out ink and paper"
    assert faults(query, f"format=npy&{colour}") == [("format", message)]
    parsed(query, "format=npy&ink=FFF&paper=000")  # the colours that there are


def test_gif_with_transparent_paper_is_refused() -> None:
    message = "cannot be transparent in a GIF, which has no half-clear pixels"
    assert faults(MorphQuery, "format=gif&paper=transparent") == [("paper", message)]
    parsed(MorphQuery, "format=apng&paper=transparent")


@pytest.mark.parametrize(("start", "end"), [("1", "22"), ("22", "1"), ("1" * 16, "2" * 15)])
def test_morph_of_different_lengths_is_refused(start: str, end: str) -> None:
    assert faults(MorphQuery, f"from={start}&to={end}") == [
        ("to", "must have as many digits as from")
    ]


@pytest.mark.parametrize("name", ["from", "to"])
def test_morph_digits_past_their_edge_are_refused(name: str) -> None:
    parsed(MorphQuery, f"from={'1' * 16}&to={'2' * 16}&scale=1")
    message = "must be 1 to 16 of the digits 0-9; found 17 characters"
    assert faults(MorphQuery, f"{name}={'1' * 17}") == [(name, message)]


@pytest.mark.parametrize("name", ["start", "end"])
def test_morph_name_of_the_field_is_unknown(name: str) -> None:
    ((field, message),) = faults(MorphQuery, f"{name}=1")
    assert field == "query"
    assert message.startswith("has a parameter that is not known here; known are from, to, seed,")


def test_restyle_with_style_is_refused() -> None:
    message = "comes from the picture here; use it with /generate instead"
    assert faults(RestyleQuery, "style=abc") == [("style", message)]


def test_style_past_its_longest_is_refused() -> None:
    parsed(GenerateQuery, "style=" + "a" * 1000)
    assert faults(GenerateQuery, "style=" + "a" * 1001) == [
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
    ("text", "widest"),
    [
        ("digits=123", 84),
        ("digits=123&gap=-12", 60),
        ("digits=123&gap=28", 140),
        ("digits=123&spacing=tight", 90),
        ("digits=1&spacing=tight&gap=-12", 30),
    ],
)
def test_widest_is_as_wide_as_a_line_can_be(text: str, widest: int) -> None:
    assert GenerateQuery.parse(text.encode()).widest == widest
