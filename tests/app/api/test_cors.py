from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.settings import Settings, read_settings

PAGE, OTHER = "https://page.example", "https://other.example"
URLS = ("/generate?digits=1&seed=7", "/generate?seed=7&digits=1", "/generate?digits=x", "/nope")


@pytest.fixture(scope="module")
def named() -> Iterator[TestClient]:
    with TestClient(create_app(Settings(cors_origins=f"{PAGE},http://localhost:3000"))) as client:
        yield client


@pytest.mark.parametrize("url", URLS)
def test_cors_is_off_by_default(client: TestClient, url: str) -> None:
    answer = client.get(url, headers={"Origin": PAGE})
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("url", URLS)
def test_cors_named_origin_may_read_every_answer(named: TestClient, url: str) -> None:
    answer = named.get(url, headers={"Origin": PAGE})
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert "X-Seed" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in answer.headers
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize("url", URLS)
def test_cors_other_origin_may_not(named: TestClient, url: str) -> None:
    answer = named.get(url, headers={"Origin": OTHER})
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("url", URLS)
def test_cors_answers_vary_also_without_an_origin(named: TestClient, url: str) -> None:
    """A cache must not give such an answer to a page of another origin."""
    assert "Origin" in named.get(url).headers["vary"]


def test_cors_preflight(named: TestClient) -> None:
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "GET"}
    leave = named.options(
        "/generate", headers={**asked, "Access-Control-Request-Headers": "X-API-Key"}
    )
    assert leave.status_code == 200
    assert leave.headers["access-control-allow-origin"] == PAGE
    assert leave.headers["x-content-type-options"] == "nosniff"
    refused = named.options("/generate", headers={**asked, "Origin": OTHER})
    assert refused.status_code == 400


def test_cors_star_is_everybody() -> None:
    with TestClient(create_app(Settings(cors_origins="*"))) as client:
        answer = client.get(URLS[0], headers={"Origin": OTHER})
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("text", ["example.org", "https://a.example/", "https://a b", "null"])
def test_cors_origins_that_are_none_end_with_a_sentence(text: str) -> None:
    with pytest.raises(SystemExit, match="^The setting cors_origins"):
        read_settings([f"--cors-origins={text}"])
