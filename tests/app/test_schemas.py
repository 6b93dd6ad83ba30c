import pytest

from app.schemas import GenerateQuery
from tests.app.conftest import AssertProblem

DIGITS = "must be 1 to 64 of the digits 0-9; "
SEED = "must be a whole number from 0 to 4294967295; leave it out for a random one"
UNKNOWN = "has a parameter that is not known here; known are digits, seed"


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
