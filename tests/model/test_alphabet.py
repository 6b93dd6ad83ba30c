import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.alphabet import DIGITS, Alphabet, check_names

NAMES = st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=9, unique=True)
LETTERS = tuple("abcdefghijklmnopqrstuvwxyz")


@pytest.mark.parametrize(
    ("names", "kind", "parameter", "sample"),
    [
        (DIGITS, "digits", "digits", "0123456789"),
        (tuple(reversed(DIGITS)), "characters", "text", "9876"),
        (LETTERS, "characters", "text", "abcd"),
        (("Shirt", "Bag"), "words", "labels", "Shirt,Bag"),
        ((), "pictures", "count", "4"),
    ],
)
def test_alphabet_is_spelled_by_its_kind(
    names: tuple[str, ...], kind: str, parameter: str, sample: str
) -> None:
    alphabet = Alphabet(names)
    assert (alphabet.kind, alphabet.parameter, alphabet.sample) == (kind, parameter, sample)


@given(names=NAMES, data=st.data())
def test_line_of_names_is_split_into_them_again(names: list[str], data: st.DataObject) -> None:
    alphabet = Alphabet(tuple(names))
    labels = data.draw(st.lists(st.integers(0, len(names) - 1), min_size=1, max_size=9))
    line = alphabet.line(labels)
    assert alphabet.split(line) == [names[label] for label in labels]
    assert alphabet.labels([line, line]).tolist() == 2 * labels
    assert alphabet.length(line) == len(labels)


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("", [""]),
        ("a,", ["a", ""]),
        (",a", ["", "a"]),
        (r"a\,b,c", ["a,b", "c"]),
        (r"\\,", ["\\", ""]),
    ],
)
def test_words_are_split_at_commas_that_are_not_escaped(line: str, names: list[str]) -> None:
    assert Alphabet(("a", "bc")).split(line) == names


def test_capitals_count_only_where_names_differ_in_nothing_else() -> None:
    assert Alphabet(LETTERS).find("H") == 7
    assert Alphabet(("a", "A")).find("A") == 1
    assert Alphabet(("Shirt", "shirt")).find("SHIRT") is None


def test_description_shows_runs_and_the_beginning_of_many_names() -> None:
    assert Alphabet((*LETTERS, "A", "C", "+")).description == "the characters a-zAC+"
    many = Alphabet(tuple(f"label {n}" for n in range(1000)))
    assert many.description.endswith("label 29 and 970 more, see /model")


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["a", "a"], "1 different label names for 2 classes"),
        (["a"], "1 different label names for 2 classes"),
        (["a", ""], "label 1 has a name of 0 characters, which must be 1 to 100"),
        (["a", "b\n"], "label 1 has a name of 2 characters, .* all of them printable"),
    ],
)
def test_unsuitable_names_are_refused(names: list[str], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        check_names(names, 2)
