from typing import Annotated, Any, Literal
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, StringConstraints, model_validator

from app.api.errors import InvalidRequest
from app.request.query import Colour, Decimal, Digits, Query, Whole, fault


class Letter(Query):
    """One parameter of each kind."""

    digits: Annotated[str, Digits(3), Field(description="Digits.", examples=["12"])]
    whole: Annotated[
        Annotated[int, Whole(-5, 9_999_999_999)] | None, Field(description="A whole number.")
    ] = None
    decimal: Annotated[float, Decimal(-2, 1.5), Field(description="A number.")] = 0.5
    colour: Annotated[str, Colour("none"), Field(description="A colour or none.")] = "000000"
    plain: Annotated[str, Colour(), Field(description="A colour.")] = "ffffff"
    kind: Annotated[Literal["a", "b"], Field(alias="as", description="A choice.")] = "a"
    text: Annotated[str, StringConstraints(max_length=5), Field(description="Text.")] = ""

    @model_validator(mode="after")
    def _check_together(self) -> "Letter":
        if self.digits == "666" and self.kind == "b":
            raise fault("as", "cannot be {b} here")
        return self


def faults(query: str) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRequest) as caught:
        Letter.parse(query.encode())
    return [(error.field, error.message) for error in caught.value.errors]


WHOLE = "must be a whole number from -5 to 9999999999"
DECIMAL = "must be a number from -2 to 1.5"
COLOUR = "must be a colour of 3 or 6 hex digits, such as 1a2b3c, or none"
UNKNOWN = (
    "has a parameter that is not known here; "
    "known are digits, whole, decimal, colour, plain, as, text"
)
LETTERS = st.builds(
    Letter,
    digits=st.text("0123456789", min_size=1, max_size=3),
    whole=st.none() | st.integers(-5, 9_999_999_999).map(str),
    decimal=st.integers(-2 * 10**9, 15 * 10**8).map(lambda n: f"{n / 10**9:.9f}"),
    colour=st.just("none") | st.integers(0, 2**24 - 1).map("{:06X}".format),
    plain=st.from_regex(r"\A#?[0-9a-f]{3}\Z"),
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    **{"as": st.sampled_from("ab")},
).filter(lambda letter: letter.digits != "666")


@pytest.mark.parametrize(
    ("query", "name", "value"),
    [
        ("", "whole", None),
        ("whole=-5", "whole", -5),
        ("whole=9999999999", "whole", 9_999_999_999),
        ("whole=007", "whole", 7),
        ("decimal=-2", "decimal", -2.0),
        ("decimal=1.500000000", "decimal", 1.5),
        ("decimal=0.000000001", "decimal", 1e-9),
        ("colour=abc", "colour", "aabbcc"),
        ("colour=%23ABC", "colour", "aabbcc"),
        ("colour=%231A2b3C", "colour", "1a2b3c"),
        ("colour=none", "colour", "none"),
        ("as=b", "kind", "b"),
        ("text=a+b", "text", "a b"),
        ("text=a%2Bb", "text", "a+b"),
        ("text=a;b=1", "text", "a;b=1"),  # only & parts two parameters
        ("text=%C3%A9", "text", "\u00e9"),
        ("text=%", "text", "%"),
        ("text=%ED%A0%80", "text", "\ufffd" * 3),  # a surrogate is no text
        ("text=\xff", "text", "\xc3\xbf"),  # bytes that nobody escaped
        ("&&text=a&", "text", "a"),
    ],
)
def test_parse_good_value_is_taken(query: str, name: str, value: object) -> None:
    assert getattr(Letter.parse(f"digits=1&{query}".encode()), name) == value


def test_parse_minus_zero_is_zero() -> None:
    letter = Letter.parse(b"digits=1&decimal=-0.0&whole=-0")
    assert (str(letter.decimal), letter.whole) == ("0.0", 0)


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ("whole=-6", "whole", WHOLE),
        ("whole=10000000000", "whole", WHOLE),
        ("whole=", "whole", WHOLE),
        ("whole=1.0", "whole", WHOLE),
        ("whole=%2B1", "whole", WHOLE),
        ("whole=+1", "whole", WHOLE),
        ("whole=1_0", "whole", WHOLE),
        ("whole=1e1", "whole", WHOLE),
        ("whole=1%0A", "whole", WHOLE),
        ("whole=None", "whole", WHOLE),
        ("whole=%D9%A3", "whole", WHOLE),  # Arabic three
        ("whole=" + "9" * 5000, "whole", WHOLE),  # more than int() would read
        ("decimal=-2.000000001", "decimal", DECIMAL),
        ("decimal=1.500000001", "decimal", DECIMAL),
        ("decimal=0.0000000001", "decimal", DECIMAL),
        ("decimal=00000", "decimal", DECIMAL),
        ("decimal=nan", "decimal", DECIMAL),
        ("decimal=-inf", "decimal", DECIMAL),
        ("decimal=1e0", "decimal", DECIMAL),
        ("decimal=.5", "decimal", DECIMAL),
        ("decimal=1.", "decimal", DECIMAL),
        ("decimal=0,5", "decimal", DECIMAL),
        ("decimal=%EF%BC%91", "decimal", DECIMAL),  # fullwidth one
        ("colour=", "colour", COLOUR),
        ("colour=ab", "colour", COLOUR),
        ("colour=abcd", "colour", COLOUR),
        ("colour=abcdeg", "colour", COLOUR),
        ("colour=%23%23abc", "colour", COLOUR),
        ("colour=abc%0A", "colour", COLOUR),
        ("colour=None", "colour", COLOUR),
        ("colour=%D9%A3%D9%A3%D9%A3", "colour", COLOUR),
        ("plain=none", "plain", COLOUR.removesuffix(", or none")),
        ("as=c", "as", "must be a or b"),
        ("as=", "as", "must be a or b"),
        ("text=123456", "text", "must have at most 5 characters"),
        ("kind=a", "query", UNKNOWN),  # the field's name, not the parameter's
        ("Whole=1", "query", UNKNOWN),
        ("=", "query", UNKNOWN),
        ("%00", "query", UNKNOWN),
        ("whole[]=1", "query", UNKNOWN),
        ("text=a&text=a", "text", "is given twice"),
        ("text=a&%74ext=b", "text", "is given twice"),
        ("no=a&no=b", "query", "is given twice"),
        ("kind=a&kind=b", "query", "is given twice"),
    ],
)
def test_parse_bad_value_is_refused(query: str, field: str, message: str) -> None:
    assert faults(f"digits=1&{query}") == [(field, message)]


@pytest.mark.parametrize(
    ("digits", "found"),
    [
        ("", "none"),
        ("1234", "4 characters"),
        ("-", "character 1 is none of them"),
        ("12.", "character 3 is none of them"),
        ("\u0663", "character 1 is none of them"),
        ("1\u00b2", "character 2 is none of them"),
    ],
)
def test_parse_bad_digits_says_where(digits: str, found: str) -> None:
    found = found if "is none" in found else f"found {found}"
    assert faults(f"digits={quote_from_bytes(digits.encode())}") == [
        ("digits", f"must be 1 to 3 of the digits 0-9; {found}")
    ]


def test_parse_nothing_names_what_is_required() -> None:
    assert faults("") == [("digits", "is required")]


def test_parse_every_fault_is_named_once() -> None:
    assert faults("digits=x&whole=x&a=1&b=2") == [
        ("digits", "must be 1 to 3 of the digits 0-9; character 1 is none of them"),
        ("whole", WHOLE),
        ("query", UNKNOWN),
    ]


def test_parse_thousands_of_unknown_parameters_gives_a_short_answer() -> None:
    assert faults("digits=1&" + "&".join(f"p{index}" for index in range(5000))) == [
        ("query", UNKNOWN)
    ]


def test_fault_is_of_the_field_it_names() -> None:
    assert faults("digits=666&as=b") == [("as", "cannot be {b} here")]


@given(query=st.binary(max_size=60))
def test_parse_any_bytes_is_read_or_refused(query: bytes) -> None:
    try:
        Letter.parse(b"digits=1&" + query)
    except InvalidRequest as error:
        assert error.errors


@given(value=st.text(st.characters(codec="utf-8", min_codepoint=0x4E00), min_size=1, max_size=40))
@pytest.mark.parametrize("name", ["digits", "whole", "decimal", "colour", "plain", "as", "new"])
def test_parse_refusal_does_not_echo_the_value(name: str, value: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        Letter.parse(f"{name}={quote_from_bytes(value.encode())}".encode())
    assert str(caught.value).isascii()


@pytest.mark.parametrize("name", ["digits", "whole", "decimal", "colour", "as", "text"])
def test_check_text_that_is_no_unicode_is_refused(name: str) -> None:
    """A shell hands over bytes that are no UTF-8 as lone surrogates."""
    with pytest.raises(InvalidRequest) as caught:
        Letter.check({"digits": "1", name: "\udcff"})
    (error,) = caught.value.errors
    assert (error.field, error.message.isascii()) == (name, True)
    assert error.message.startswith("must be ")


@given(letter=LETTERS)
def test_canonical_is_read_back_as_the_same(letter: Letter) -> None:
    again = Letter.parse(letter.canonical().encode())
    assert again == letter
    assert again.canonical() == letter.canonical()


@pytest.mark.parametrize(
    ("query", "canonical"),
    [
        ("text=&as=a&whole=07&digits=007&decimal=0.50", "digits=007&whole=7"),
        ("decimal=0.000000001&digits=1", "digits=1&decimal=0.000000001"),
        ("as=b&decimal=1.0&digits=1&colour=FFF", "digits=1&decimal=1&colour=ffffff&as=b"),
        ("digits=1&decimal=-0&whole=0", "digits=1&whole=0&decimal=0"),
        ("digits=1&text=%26%3D+", "digits=1&text=%26%3D+"),
    ],
)
def test_canonical_has_one_spelling(query: str, canonical: str) -> None:
    assert Letter.parse(query.encode()).canonical() == canonical


def test_openapi_parameters_say_the_limits() -> None:
    def parameter(name: str, description: str, **schema: Any) -> dict[str, Any]:
        about = {"name": name, "in": "query", "required": False, "description": description}
        return {**about, "schema": schema}

    digits = parameter("digits", "Digits.", type="string", pattern="^[0-9]{1,3}$")
    hexes = "#?[0-9a-fA-F]{3}|#?[0-9a-fA-F]{6}"
    assert Letter.openapi_parameters() == [
        {**digits, "required": True, "example": "12"},
        parameter("whole", "A whole number.", type="integer", minimum=-5, maximum=9_999_999_999),
        parameter("decimal", "A number.", type="number", minimum=-2, maximum=1.5, default=0.5),
        parameter(
            "colour",
            "A colour or none.",
            type="string",
            pattern=f"^({hexes}|none)$",
            default="000000",
        ),
        parameter("plain", "A colour.", type="string", pattern=f"^({hexes})$", default="ffffff"),
        parameter("as", "A choice.", type="string", enum=["a", "b"], default="a"),
        parameter("text", "Text.", type="string", maxLength=5, default=""),
    ]


def test_query_is_frozen() -> None:
    letter = Letter.parse(b"digits=1")
    with pytest.raises(ValueError, match="frozen"):
        letter.text = "other"  # type: ignore[misc]
