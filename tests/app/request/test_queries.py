import string

import pytest

from app.request.error import InvalidRequest
from app.request.morph import MorphQuery
from app.request.queries import Queries, queries_of
from app.request.query import Query
from app.request.ranges import Size
from app.request.schemas import GenerateQuery
from model.alphabet import Alphabet

LETTERS = Alphabet(tuple(string.ascii_lowercase))
WORDS = Alphabet(("T-shirt/top", "Bag & more", "あ"))
PICTURES = Alphabet(())
CELL = Size(32, 20)


def test_ten_digits_have_the_queries_as_they_are() -> None:
    assert queries_of(Query.alphabet, Query.cell) == Queries()
    assert Queries().of(MorphQuery) is MorphQuery


def test_queries_of_an_alphabet_are_made_once() -> None:
    assert queries_of(LETTERS, CELL) is queries_of(Alphabet(LETTERS.names), CELL)


def test_canonical_query_is_safe_in_an_address() -> None:
    query = queries_of(WORDS, CELL).generate.model_validate(
        {"labels": "あ,bag & more", "seed": "7"}
    )
    assert query.canonical() == "labels=%E3%81%82,Bag%20%26%20more&seed=7"


def test_pixels_follow_the_size_of_the_pictures() -> None:
    queries = queries_of(LETTERS, CELL)
    assert queries.generate.model_validate({"text": "abc", "rows": "2"}).pixels == 3 * 20 * 64
    assert queries.latent_map.model_validate({"label": "a", "cells": "2"}).pixels == 4 * 32 * 20
    values = {"from": "ab", "to": "cd", "frames": "5", "scale": "1"}
    assert queries.morph.model_validate(values).pixels == 5 * 2 * 32 * 20
    data = queries.dataset.model_validate({"count": "3", "length": "2", "scale": "0.5"})
    assert data.canvas(2) == Size(16, 20)


def test_large_pictures_reach_the_limit_earlier() -> None:
    queries = queries_of(LETTERS, Size(64, 64))
    line = {"text": "a" * 64, "rows": "16"}
    assert queries.generate.model_validate({**line, "scale": "2"}).pixels == 2**24
    with pytest.raises(InvalidRequest, match="makes a picture of"):
        queries.generate.model_validate({**line, "scale": "3"})


@pytest.mark.parametrize(
    ("alphabet", "name", "values", "field"),
    [
        (LETTERS, "generate", {"text": ""}, "text"),
        (LETTERS, "generate", {"text": "a" * 65}, "text"),
        (LETTERS, "generate", {"text": "a{b}"}, "text"),
        (LETTERS, "generate", {"text": "a", "labels": "a"}, "labels"),
        (LETTERS, "morph", {"from": "ab", "to": "c"}, "to"),
        (LETTERS, "dataset", {"count": "1", "zeros": "off"}, "query"),
        (LETTERS, "dataset", {"count": "1", "frequencies": "1,2"}, "frequencies"),
        (LETTERS, "generate", {"text": "a", "gap": "-9"}, "gap"),
        (WORDS, "restyle", {"labels": "あ", "label": "い"}, "label"),
        (PICTURES, "generate", {"count": "0"}, "count"),
        (PICTURES, "restyle", {"count": "1", "label": "7"}, "label"),
        (PICTURES, "latent_map", {"digit": "7"}, "digit"),
        (PICTURES, "morph", {"count": "1", "to": "7"}, "to"),
    ],
)
def test_what_the_alphabet_has_not_is_refused(
    alphabet: Alphabet, name: str, values: dict[str, str], field: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        getattr(queries_of(alphabet, CELL), name).model_validate(values)
    assert [error.field for error in caught.value.errors] == [field]


def test_unconditional_morph_has_another_end_of_the_same_length() -> None:
    query = queries_of(PICTURES, CELL).morph.model_validate({"count": "3"})
    assert (query.last, query.walk) == ("3", 1.0)


def test_query_of_digits_has_the_unknown_parameters_that_it_had() -> None:
    with pytest.raises(InvalidRequest, match="query has an unknown parameter; known are digits"):
        GenerateQuery.model_validate({"digits": "1", "labels": "a"})
