from typing import Annotated, Literal
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, model_validator

from app.request.error import InvalidRequest, Reason, invalid
from app.request.line import Line
from app.request.parameter import Colour, Decimal, Integer, Token
from app.request.query import Query
from app.request.schemas import GenerateQuery


class Letter(Query):
    """One parameter of each kind."""

    digits: Annotated[str, Line(Query.alphabet, 3), Field(description="Digits.", examples=["12"])]
    whole: Annotated[int | None, Integer(-5, 9_999_999_999), Field(description="An integer.")] = (
        None
    )
    decimal: Annotated[float, Decimal(-2, 1.5), Field(description="A number.")] = 0.5
    colour: Annotated[str, Colour("none"), Field(description="A colour or none.")] = "000000"
    plain: Annotated[str, Colour(), Field(description="A colour.")] = "ffffff"
    kind: Annotated[Literal["a", "b"], Field(alias="as", description="A choice.")] = "a"
    token: Annotated[str | None, Token(5), Field(description="A token.")] = None

    @model_validator(mode="after")
    def _check_letter(self) -> "Letter":
        if self.digits == "666" and self.kind == "b":
            raise invalid("as", "cannot be {b} here")
        return self


def errors(**values: str) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRequest) as caught:
        Letter.model_validate({"digits": "1", **values})
    assert caught.value.reason is Reason.INVALID
    return [(error.field, error.message) for error in caught.value.errors]


INTEGER = "must be an integer from -5 to 9999999999"
DECIMAL = "must be a number from -2 to 1.5"
COLOUR = "must be a colour of 3 or 6 hex digits, such as 1a2b3c, or none"
TOKEN = "is not a style token from /restyle"
UNKNOWN = "has an unknown parameter; known are digits, whole, decimal, colour, plain, as, token"
ARABIC_THREE, FULLWIDTH_ONE, SURROGATE = "\u0663", "\uff11", "\udcff"
LETTERS = st.fixed_dictionaries(
    {"digits": st.text("0123456789", min_size=1, max_size=3).filter(lambda text: text != "666")},
    optional={
        "whole": st.integers(-5, 9_999_999_999).map(str),
        "decimal": st.integers(-2 * 10**9, 15 * 10**8).map(lambda n: f"{n / 10**9:.9f}"),
        "colour": st.just("none") | st.integers(0, 2**24 - 1).map("{:06X}".format),
        "plain": st.from_regex(r"\A#?[0-9a-f]{3}\Z"),
        "as": st.sampled_from("ab"),
        "token": st.from_regex(r"\A[A-Za-z0-9_-]{0,5}\Z"),
    },
)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("whole", "-5", -5),
        ("whole", "9999999999", 9_999_999_999),
        ("whole", "007", 7),
        ("whole", "-0", 0),
        ("decimal", "-2", -2.0),
        ("decimal", "1.500000000", 1.5),
        ("decimal", "0.000000001", 1e-9),
        ("colour", "abc", "aabbcc"),
        ("colour", "#ABC", "aabbcc"),
        ("colour", "#1A2b3C", "1a2b3c"),
        ("colour", "none", "none"),
        ("token", "aZ_-9", "aZ_-9"),
    ],
)
def test_good_text_becomes_its_value(name: str, text: str, value: object) -> None:
    assert getattr(Letter.model_validate({"digits": "1", name: text}), name) == value


def test_minus_zero_is_zero() -> None:
    assert str(Letter.model_validate({"digits": "1", "decimal": "-0.0"}).decimal) == "0.0"


@pytest.mark.parametrize(
    ("name", "message", "texts"),
    [
        (
            "whole",
            INTEGER,
            # int() would refuse to read 5000 digits.
            [
                "-6",
                "10000000000",
                "",
                "1.0",
                "+1",
                " 1",
                "1_0",
                "1e1",
                "1\n",
                "9" * 5000,
                SURROGATE,
            ],
        ),
        (
            "decimal",
            DECIMAL,
            [
                "-2.000000001",
                "1.500000001",
                "0.0000000001",
                "00000",
                "nan",
                "1e0",
                ".5",
                "1.",
                "0,5",
            ],
        ),
        (
            "colour",
            COLOUR,
            ["", "ab", "abcd", "abcdeg", "##abc", "abc\n", "None", 3 * ARABIC_THREE, SURROGATE],
        ),
        ("plain", COLOUR.removesuffix(", or none"), ["none"]),
        ("whole", INTEGER, ["None", ARABIC_THREE]),
        ("decimal", DECIMAL, ["-inf", FULLWIDTH_ONE, SURROGATE]),
        ("as", "must be a or b", ["c", "", "A"]),
        ("as", "must be text", [SURROGATE]),
        ("token", "must have at most 5 characters", ["123456"]),
        ("token", TOKEN, ["%", "a b", "\u00e9", "a\n", SURROGATE]),
    ],
)
def test_bad_text_is_refused_with_a_sentence(name: str, message: str, texts: list[str]) -> None:
    for text in texts:
        assert errors(**{name: text}) == [(name, message)], text


@pytest.mark.parametrize(
    ("digits", "found"),
    [
        ("", "found none"),
        ("1234", "found 4 characters"),
        ("-", "character 1 is not a digit"),
        ("12.", "character 3 is not a digit"),
        (ARABIC_THREE, "character 1 is not a digit"),
        ("1\u00b2", "character 2 is not a digit"),
        (SURROGATE, "character 1 is not a digit"),
    ],
)
def test_bad_digits_are_refused_with_their_position(digits: str, found: str) -> None:
    assert errors(digits=digits) == [("digits", f"must be 1 to 3 of the digits 0-9; {found}")]


@pytest.mark.parametrize("name", ["kind", "Whole", "", "\0", "whole[]"])
def test_unknown_parameter_is_refused_without_its_name(name: str) -> None:
    assert errors(**{name: "a"}) == [("query", UNKNOWN)]


def test_missing_parameter_is_named() -> None:
    with pytest.raises(InvalidRequest, match=r"^digits is required\.$"):
        Letter.model_validate({})


def test_every_parameter_at_fault_is_named_once() -> None:
    unknown = {f"p{number}": "x" for number in range(1000)}
    assert errors(digits="x", whole="x", **unknown) == [
        ("digits", "must be 1 to 3 of the digits 0-9; character 1 is not a digit"),
        ("whole", INTEGER),
        ("query", UNKNOWN),
    ]


def test_check_of_several_parameters_names_one() -> None:
    assert errors(digits="666", **{"as": "b"}) == [("as", "cannot be {b} here")]


@given(value=st.text(st.characters(codec="utf-8", min_codepoint=0x4E00), min_size=1, max_size=40))
@pytest.mark.parametrize("name", ["digits", "whole", "decimal", "colour", "plain", "as", "new"])
def test_refusal_does_not_echo_the_input(name: str, value: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        Letter.model_validate({"digits": "1", name: value})
    assert str(caught.value).isascii()


@given(values=LETTERS)
def test_canonical_query_is_read_back_as_the_same(values: dict[str, str]) -> None:
    letter = Letter.model_validate(values)
    text = letter.canonical()
    again = Letter.model_validate(dict(part.split("=") for part in text.split("&")))
    assert again == letter
    assert again.canonical() == text


@pytest.mark.parametrize(
    ("values", "canonical"),
    [
        ({"as": "a", "whole": "07", "digits": "007", "decimal": "0.50"}, "digits=007&whole=7"),
        ({"decimal": "0.000000001", "digits": "1"}, "digits=1&decimal=0.000000001"),
        (
            {"as": "b", "decimal": "1.0", "digits": "1", "colour": "FFF"},
            "digits=1&decimal=1&colour=ffffff&as=b",
        ),
        ({"digits": "1", "decimal": "-0", "whole": "0"}, "digits=1&whole=0&decimal=0"),
    ],
)
def test_canonical_query_has_one_spelling(values: dict[str, str], canonical: str) -> None:
    assert Letter.model_validate(values).canonical() == canonical


def test_json_schema_states_the_limits() -> None:
    hexes = "#?[0-9a-fA-F]{3}|#?[0-9a-fA-F]{6}"
    schema = Letter.model_json_schema()
    for described in schema["properties"].values():
        described.pop("title")
        described.pop("description")
    assert schema["required"] == ["digits"]
    assert schema["properties"] == {
        "digits": {"type": "string", "pattern": "^[0-9]{1,3}$", "examples": ["12"]},
        "whole": {"type": "integer", "minimum": -5, "maximum": 9_999_999_999, "default": None},
        "decimal": {"type": "number", "minimum": -2, "maximum": 1.5, "default": 0.5},
        "colour": {"type": "string", "pattern": f"^({hexes}|none)$", "default": "000000"},
        "plain": {"type": "string", "pattern": f"^({hexes})$", "default": "ffffff"},
        "as": {"type": "string", "enum": ["a", "b"], "default": "a"},
        "token": {"type": "string", "maxLength": 5, "default": None},
    }


def test_query_is_frozen() -> None:
    letter = Letter.model_validate({"digits": "1"})
    with pytest.raises(ValueError, match="frozen"):
        letter.token = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3.14", "3.14"),
        ("-5", "-5"),
        ("2026-11-25 12:30", "2026-11-25 12:30"),
        ("1,000/2", "1,000/2"),
        ("\u22125\u00a01", "-5 1"),  # a minus sign, a space that does not break
        ("\uff11\uff0e\uff15", "1.5"),  # full-width
        ("\u0663\u066b\u0661", "3.1"),  # Arabic
    ],
)
def test_text_takes_numbers_as_people_type_them(text: str, value: str) -> None:
    query = GenerateQuery.model_validate({"text": text})
    assert query.written == value
    assert query.labels == "".join(filter(str.isdigit, value))
    assert GenerateQuery.model_validate(dict(parse_qsl(query.canonical()))) == query


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"text": "1a"}, r"^text must be .* and space; character 2 is neither\.$"),
        ({"text": "1\u00b2"}, r"^text must be .* and space; character 2 is neither\.$"),
        ({"text": "-.-"}, r"^text must be .* and space, with at least one digit\.$"),
        ({"text": "1" * 65}, r"^text must be .* and space; found 65 characters\.$"),
        ({"text": ""}, r"^text must be .* and space; found 0 characters\.$"),
        ({"text": "1", "digits": "1"}, r"^text replaces digits; give one of them\.$"),
    ],
)
def test_text_refuses_what_is_no_number(values: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        GenerateQuery.model_validate(values)
