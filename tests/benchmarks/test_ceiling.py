import pytest
from starlette.testclient import TestClient

from app.settings import Settings
from benchmarks.ceiling import FAST, ROUTE, ceiling_app


@pytest.mark.parametrize("path", [ROUTE, FAST])
def test_ceiling_returns_the_same_picture_with_the_headers_of_a_drawn_one(path: str) -> None:
    with TestClient(ceiling_app(Settings())) as client:
        ready, again = client.get(path), client.get(path)
        drawn = client.get("/generate?digits=2018")
    assert ready.content == again.content
    assert ready.headers.keys() == drawn.headers.keys()
    assert ready.headers["content-type"] == "image/png"
    assert ready.headers["x-request-id"] != again.headers["x-request-id"]
