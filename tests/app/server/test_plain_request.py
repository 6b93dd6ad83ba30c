import http.client
import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.server.plain_request import PlainRequest, plain_request
from harness.launcher import Service, running
from model.noise import MAX_SEED

CHROME = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
KEY = "0123456789abcdef"
ORIGIN = "https://a.example"


def plain(target: str, headers: dict[str, str] | None = None) -> PlainRequest | None:
    lines = [f"GET {target} HTTP/1.1", "Host: localhost"]
    lines += [f"{name}: {text}" for name, text in (headers or {}).items()]
    return plain_request("\r\n".join([*lines, "", ""]).encode())


@pytest.fixture(scope="module", params=[{}, {"CVAE_CORS_ORIGINS": ORIGIN}, {"CVAE_API_KEYS": KEY}])
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    with running(**request.param) as service:
        yield service


def ask(service: Service, target: str, **headers: str) -> tuple[bytes, dict[str, str]]:
    """The body, and the headers but for those that differ between any two answers."""
    answer = service.ask(target, headers={"X-API-Key": KEY, **headers})
    assert answer.status == 200
    assert answer.headers["x-request-id"]
    return answer.body, headers_of(answer.headers, "x-request-id", "date")


def headers_of(message: http.client.HTTPMessage, *others: str) -> dict[str, str]:
    return {name: text for name, text in message.items() if name not in others}


@settings(max_examples=30)
@given(digits=st.text("0123456789", min_size=1, max_size=64), seed=st.integers(0, MAX_SEED))
def test_fast_path_gives_the_answer_of_the_ordinary_route(
    service: Service, digits: str, seed: int
) -> None:
    fast, ordinary = f"digits={digits}&seed={seed}", f"seed={seed}&digits={digits}"
    assert plain(f"/generate?{fast}") is not None
    assert plain(f"/generate?{ordinary}") is None
    assert ask(service, f"/generate?{fast}") == ask(service, f"/generate?{ordinary}")


def test_fast_path_without_seed_has_the_headers_of_the_ordinary_route(service: Service) -> None:
    kept = []
    for query in ("digits=2018", "digits=2018&rows=1"):
        body, headers = ask(service, f"/generate?{query}")
        assert ask(service, f"/generate?digits=2018&seed={headers.pop('x-seed')}")[0] == body
        del headers["content-length"]
        kept.append(headers)
    assert kept[0] == kept[1]


def test_named_model_and_held_answer_are_as_on_the_ordinary_route(service: Service) -> None:
    _, headers = ask(service, "/generate?digits=1&seed=1")
    model, etag = headers["x-model"], headers["etag"]
    for query in (f"digits=1&seed=1&model={model}", f"seed=1&digits=1&model={model}"):
        assert "immutable" in ask(service, f"/generate?{query}")[1]["cache-control"]
    found = []
    for query, tags in itertools.product(
        ("digits=1&seed=1", "seed=1&digits=1"), (etag, f'"a", W/{etag}', "*", '"a"')
    ):
        sent = {"X-API-Key": KEY, "If-None-Match": tags}
        answer = service.ask(f"/generate?{query}", headers=sent)
        found.append((answer.status, headers_of(answer.headers, "x-request-id", "date")))
    assert [status for status, _ in found] == [304, 304, 304, 200] * 2
    assert found[:4] == found[4:]


def test_another_model_is_refused_as_on_the_ordinary_route(service: Service) -> None:
    for query in ("digits=1&seed=1", "seed=1&digits=1"):
        path = f"/generate?{query}&model=0123456789abcdef"
        assert 400 <= service.ask(path, headers={"X-API-Key": KEY}).status < 500


def test_answer_that_closes_the_connection_says_so(service: Service) -> None:
    for query in ("digits=1&seed=1", "seed=1&digits=1"):
        _, headers = ask(service, f"/generate?{query}", Connection="close")
        assert headers["connection"] == "close"


def test_scripts_of_allowed_origins_may_read_the_answer() -> None:
    with running(CVAE_CORS_ORIGINS=ORIGIN) as service:
        _, headers = ask(service, "/generate?digits=1&seed=1", Origin=ORIGIN)
    assert headers["access-control-allow-origin"] == ORIGIN


def test_request_without_a_valid_key_is_refused() -> None:
    with running(CVAE_API_KEYS=KEY) as service:
        assert service.ask("/generate?digits=1").status == 401
        assert service.ask("/generate?digits=1", headers={"X-API-Key": KEY[1:]}).status == 401


@pytest.mark.parametrize(
    "headers", [{}, {"accept": "*/*"}, {"accept": "image/png"}, {"accept": CHROME}]
)
def test_plain_request_of_common_clients_is_recognised(headers: dict[str, str]) -> None:
    request = plain("/generate?digits=2018&seed=7", headers)
    assert request is not None
    assert request.query.canonical() == "digits=2018&seed=7"


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/generate?digits=", {}),
        ("/generate?digits=" + "1" * 65, {}),
        ("/generate?digits=1&seed=4294967296", {}),
        ("/generate?digits=1&seed=", {}),
        ("/generate?digits=1&rows=2", {}),
        ("/generate?digits=1\n", {}),
        ("/generate?digits=1#a", {}),
        ("/generate/?digits=1", {}),
        ("http://x/generate?digits=1", {}),
        ("/generate?digits=1", {"accept": "image/webp"}),
        ("/generate?digits=1", {"accept": "text/html"}),
        ("/generate?digits=1&model=0123456789abcdef", {}),
        ("/generate?digits=1&seed=1&model=0123456789abcde", {}),
        ("/generate?digits=1", {"Content-Length": "1"}),
        ("/generate?digits=1", {"Transfer-Encoding": "chunked"}),
        ("/generate?digits=1", {"Expect": "100-continue"}),
        ("/generate?digits=1", {"Connection": "Upgrade", "Upgrade": "websocket"}),
        ("/generate?digits=1", {"X-Request-ID": "a"}),
        ("/generate?digits=1", {"Accept": "image/png", "accept": "image/png"}),
        ("/generate?digits=1", {"host": "b"}),
        ("/generate?digits=1", {"A b": "c"}),
    ],
)
def test_plain_request_is_none_where_more_checks_are_needed(
    target: str, headers: dict[str, str]
) -> None:
    assert plain(target, headers) is None


@pytest.mark.parametrize(
    "head",
    [
        "GET /generate?digits=1 HTTP/1.1\r\nHost: a\r\n",  # not all of it
        "GET /generate?digits=1 HTTP/1.1\r\nHost: a\r\n\r\nGET",
        "GET /generate?digits=1 HTTP/1.1\r\n\r\n",
        "GET /generate?digits=1 HTTP/1.0\r\nHost: a\r\n\r\n",
        "GET  /generate?digits=1 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /generate?digits=1 HTTP/1.1\nHost: a\r\n\r\n",
        "POST /generate?digits=1 HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
def test_other_heads_are_left_to_the_parser(head: str) -> None:
    assert plain_request(head.encode()) is None


@pytest.mark.parametrize(("connection", "stays"), [(None, True), ("close", False)])
def test_plain_request_says_whether_the_connection_stays(
    connection: str | None, stays: bool
) -> None:
    request = plain("/generate?digits=1", {} if connection is None else {"Connection": connection})
    assert request is not None
    assert request.headers.keep_alive is stays
