"""How a query string reaches its model: decoding, repeated and unknown names, nothing echoed."""

from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.app.conftest import AssertProblem

DIGITS = "must be 1 to 64 of the digits 0-9; "
SEED = "must be an integer from 0 to 4294967295"
UNKNOWN = (
    "has an unknown parameter; known are digits, text, seed, rows, variation, "
    "temperature, style, spacing, gap, scale, ink, paper, render, "
    "pen, format, model"
)


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ("", "digits", "is required"),
        ("digits=", "digits", DIGITS + "found none"),
        ("digits=12a4", "digits", DIGITS + "character 3 is not a digit"),
        ("digits=%201", "digits", DIGITS + "character 1 is not a digit"),
        ("digits=1+1", "digits", DIGITS + "character 2 is not a digit"),
        ("digits=1%0A", "digits", DIGITS + "character 2 is not a digit"),
        ("digits=%D9%A3", "digits", DIGITS + "character 1 is not a digit"),  # Arabic three
        ("digits=%FF", "digits", DIGITS + "character 1 is not a digit"),  # not UTF-8
        ("digits=1%00", "digits", DIGITS + "character 2 is not a digit"),
        ("digits=1;seed=7", "digits", DIGITS + "character 2 is not a digit"),
        ("digits=" + "1" * 65, "digits", DIGITS + "found 65 characters"),
        ("digits=1&seed=", "seed", SEED),
        ("digits=1&seed=1.0", "seed", SEED),
        ("digits=1&seed=%2B1", "seed", SEED),
        ("digits=1&seed=1_0", "seed", SEED),
        ("digits=1&seed=%201", "seed", SEED),
        ("digits=1&digits=2", "digits", "is given twice"),
        ("digits=1&%64igits=2", "digits", "is given twice"),
        ("digits=1&sede=7", "query", UNKNOWN),
        ("digits=1&=", "query", UNKNOWN),
        ("digits=1&%00", "query", UNKNOWN),
        ("digits=1&sede=7&sede=8", "query", "is given twice"),
    ],
)
def test_bad_query_is_422_with_its_field(
    assert_problem: AssertProblem, query: str, field: str, message: str
) -> None:
    problem = assert_problem(f"/generate?{query}", 422)
    assert [(error.field, error.message) for error in problem.errors] == [(field, message)]
    assert problem.detail == f"{field} {message}."


@pytest.mark.parametrize(
    ("url", "method"),
    [
        ("/generate?digits=1", "GET"),
        ("/restyle?digits=1", "POST"),
        ("/morph?from=1&to=2", "GET"),
        ("/latent-map?digit=1", "GET"),
        ("/dataset?count=1", "GET"),
    ],
)
def test_every_endpoint_refuses_unknown_and_repeated_parameters(
    assert_problem: AssertProblem, url: str, method: str
) -> None:
    unknown = assert_problem(f"{url}&secret=1", 422, method)
    assert [error.field for error in unknown.errors] == ["query"]
    assert "secret" not in unknown.model_dump_json()
    (name,) = {url.partition("?")[2].partition("=")[0]}
    repeated = assert_problem(f"{url}&{name}=1", 422, method)
    assert [(error.field, error.message) for error in repeated.errors] == [(name, "is given twice")]


def test_every_parameter_at_fault_is_named(assert_problem: AssertProblem) -> None:
    problem = assert_problem("/generate?digits=x&seed=y&z=1", 422)
    assert [error.field for error in problem.errors] == ["digits", "seed", "query"]


def test_bad_query_is_not_echoed(assert_problem: AssertProblem) -> None:
    problem = assert_problem("/generate?digits=<script>&<img>=1", 422)
    assert "<" not in problem.model_dump_json()


def test_empty_parts_of_a_query_are_ignored(client: TestClient) -> None:
    urls = ("/generate?digits=1&seed=7", "/generate?&&seed=7&digits=1&")
    assert len({client.get(url).content for url in urls}) == 1


@given(query=st.binary(max_size=60))
def test_any_query_is_answered_or_refused(client: TestClient, query: bytes) -> None:
    answer = client.get(f"/generate?digits=1&{quote_from_bytes(query, safe='&=+;')}")
    assert answer.status_code in (200, 422)
