from starlette.testclient import TestClient

from benchmarks.ceiling import ceiling_app


def test_ceiling_returns_the_same_picture_with_the_headers_of_a_drawn_one() -> None:
    with TestClient(ceiling_app()) as client:
        ready, again = client.get("/ceiling"), client.get("/ceiling")
        drawn = client.get("/generate?digits=2018")
    assert ready.content == again.content
    assert ready.headers.keys() == drawn.headers.keys()
    assert ready.headers["content-type"] == "image/png"
