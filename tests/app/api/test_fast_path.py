import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from app.api.fast_path import plain_query
from model.noise import MAX_SEED

CHROME = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"


def scope(
    query: str, path: str = "/generate", method: str = "GET", **headers: str
) -> dict[str, object]:
    pairs = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    return {
        "type": "http",
        "path": path,
        "method": method,
        "query_string": query.encode(),
        "headers": pairs,
    }


@given(digits=st.text("0123456789", min_size=1, max_size=64), seed=st.integers(0, MAX_SEED))
def test_fast_path_gives_the_answer_of_the_ordinary_route(
    client: TestClient, digits: str, seed: int
) -> None:
    assert plain_query(scope(f"seed={seed}&digits={digits}")) is None
    fast = client.get(f"/generate?digits={digits}&seed={seed}")
    ordinary = client.get(f"/generate?seed={seed}&digits={digits}")
    assert fast.content == ordinary.content
    headers = [dict(answer.headers) for answer in (fast, ordinary)]
    assert all(one.pop("x-request-id") for one in headers)
    assert headers[0] == headers[1]


def test_fast_path_without_seed_has_the_headers_of_the_ordinary_route(client: TestClient) -> None:
    kept = []
    for query in ("digits=2018", "digits=2018&rows=1"):
        answer = client.get(f"/generate?{query}")
        again = client.get(f"/generate?digits=2018&seed={answer.headers['x-seed']}")
        assert again.content == answer.content
        drop = {"x-seed", "x-request-id", "content-length"}
        kept.append({name: text for name, text in answer.headers.items() if name not in drop})
    assert kept[0] == kept[1]


@pytest.mark.parametrize(
    "headers", [{}, {"accept": "*/*"}, {"accept": "image/png"}, {"accept": CHROME}]
)
def test_plain_query_of_common_clients_is_recognised(headers: dict[str, str]) -> None:
    query = plain_query(scope("digits=2018&seed=7", **headers))
    assert query is not None
    assert query.canonical() == "digits=2018&seed=7"


@pytest.mark.parametrize(
    ("query", "others"),
    [
        ("digits=", {}),
        ("digits=" + "1" * 65, {}),
        ("digits=1&seed=4294967296", {}),
        ("digits=1&seed=", {}),
        ("digits=1&rows=2", {}),
        ("digits=1\n", {}),
        ("digits=1", {"path": "/generate/"}),
        ("digits=1", {"method": "POST"}),
        ("digits=1", {"accept": "image/webp"}),
        ("digits=1", {"accept": "text/html"}),
        ("digits=1", {"if_none_match": "*"}),
    ],
)
def test_plain_query_is_none_where_more_checks_are_needed(
    query: str, others: dict[str, str]
) -> None:
    assert plain_query(scope(query, **others)) is None
