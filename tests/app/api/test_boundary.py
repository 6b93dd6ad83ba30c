import re

import pytest
from starlette.testclient import TestClient

from app.api.problem import Problem
from app.main import create_app
from app.settings import Settings


def test_every_answer_has_a_request_id(client: TestClient) -> None:
    first, second = (client.get(path).headers["x-request-id"] for path in ("/livez", "/nope"))
    assert re.fullmatch("[0-9a-f]{16}", first)
    assert first != second


def test_well_formed_request_id_is_taken_over(client: TestClient) -> None:
    headers = {"X-Request-ID": "trace-1.A_b"}
    assert client.get("/livez", headers=headers).headers["x-request-id"] == "trace-1.A_b"


@pytest.mark.parametrize("value", ["", "a b", "x" * 65, "<script>", "a\tb"])
def test_other_request_id_is_replaced(client: TestClient, value: str) -> None:
    answer = client.get("/livez", headers={"X-Request-ID": value})
    assert re.fullmatch("[0-9a-f]{16}", answer.headers["x-request-id"])


def test_sniffing_is_off(client: TestClient) -> None:
    assert client.get("/generate?digits=1").headers["x-content-type-options"] == "nosniff"


def test_head_answers_like_get(client: TestClient) -> None:
    head, get = (client.request(m, "/generate?digits=1&seed=7") for m in ("HEAD", "GET"))
    assert head.status_code == 200
    for name in ("etag", "content-length", "content-type", "x-seed"):
        assert head.headers[name] == get.headers[name]


def test_unexpected_error_is_500_without_its_cause(caplog: pytest.LogCaptureFixture) -> None:
    app = create_app(Settings())

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("secret detail")

    with TestClient(app) as client:
        answer = client.get("/broken", headers={"X-Request-ID": "abc"})
    assert answer.status_code == 500
    problem = Problem.model_validate_json(answer.content)
    assert problem.request_id == answer.headers["x-request-id"] == "abc"
    assert answer.headers.get_list("x-request-id") == ["abc"]
    assert "secret" not in answer.text
    assert "request abc failed" in caplog.text  # with the cause, for the operator
    assert "secret detail" in caplog.text


def test_draining_service_is_not_ready_and_closes_its_connections() -> None:
    app = create_app(Settings())
    with TestClient(app) as client:
        assert "connection" not in client.get("/livez").headers
        app.state.service.draining = True
        for path, status in (("/readyz", 503), ("/livez", 200), ("/generate?digits=1", 200)):
            answer = client.get(path)
            assert (answer.status_code, answer.headers["connection"]) == (status, "close")
