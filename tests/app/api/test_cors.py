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
def test_cors_lets_only_named_origins_read(client: TestClient, named: TestClient, url: str) -> None:
    off, other, page, none = (
        one.get(url, headers=headers).headers
        for one, headers in (
            (client, {"Origin": PAGE}),
            (named, {"Origin": OTHER}),
            (named, {"Origin": PAGE}),
            (named, {}),
        )
    )
    assert not [name for name in off if name.startswith("access-control")]
    assert "access-control-allow-origin" not in other
    assert page["access-control-allow-origin"] == PAGE
    assert "X-Seed" in page["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in page
    # A cache must not give the answer for one origin, or for none, to another.
    assert all("Origin" in headers["vary"] for headers in (other, page, none))


def test_cors_preflight_is_answered_for_named_origins_only(named: TestClient) -> None:
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "GET"}
    allowed = named.options(
        "/generate", headers={**asked, "Access-Control-Request-Headers": "X-API-Key"}
    )
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == PAGE
    assert allowed.headers["x-content-type-options"] == "nosniff"
    refused = named.options("/generate", headers={**asked, "Origin": OTHER})
    assert refused.status_code == 400


def test_cors_star_allows_every_origin() -> None:
    with TestClient(create_app(Settings(cors_origins="*"))) as client:
        answer = client.get(URLS[0], headers={"Origin": OTHER})
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("text", ["example.org", "https://a.example/", "https://a b", "null"])
def test_cors_bad_origin_ends_the_start_with_a_sentence(text: str) -> None:
    with pytest.raises(SystemExit, match=r"^The setting cors_origins"):
        read_settings([f"--cors-origins={text}"])
