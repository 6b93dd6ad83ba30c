from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from app.api.limit import pixels
from app.main import create_app
from app.request.schemas import GenerateQuery, LatentMapQuery, MorphQuery
from app.settings import Settings

MOST = 2**18  # the lowest that the setting takes


@pytest.fixture(scope="module")
def small() -> Iterator[TestClient]:
    with TestClient(create_app(Settings(max_pixels=MOST))) as client:
        yield client


def test_pixels_are_those_of_the_picture() -> None:
    assert pixels(GenerateQuery.parse(b"digits=2018&rows=3&scale=2&gap=1")) == 3 * 56 * 2 * 115
    assert pixels(MorphQuery.parse(b"from=12&to=34&frames=5&scale=3")) == 5 * 84 * 168
    assert pixels(LatentMapQuery.parse(b"digit=1&cells=4&scale=2")) == 224**2


@pytest.mark.parametrize(
    ("url", "method"),
    [
        ("/generate?digits=2018&rows=4&scale=5", "GET"),  # 313,600 pixels
        ("/restyle?digits=2018&rows=4&scale=5", "POST"),
        ("/morph?from=1&to=2&frames=22", "GET"),
        ("/latent-map?digit=1&cells=19", "GET"),
    ],
)
def test_picture_above_the_setting_is_422(small: TestClient, url: str, method: str) -> None:
    answer = small.request(method, url)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == "scale"
    assert f"at most {MOST} are drawn here; ask for less" in error["message"]


@pytest.mark.parametrize("query", ["digits=" + "8" * 64, "digits=2018&rows=4&scale=4"])
def test_picture_within_the_setting_is_drawn(small: TestClient, query: str) -> None:
    assert small.get(f"/generate?{query}").status_code == 200
