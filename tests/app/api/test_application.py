from starlette.testclient import TestClient

from app.api.application import Application
from app.api.errors import Problem
from app.settings import Settings


def test_front_catches_what_the_framework_lets_through() -> None:
    app = Application(Settings(), title="t")

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("secret")

    answer = TestClient(app).get("/broken")
    assert answer.status_code == 500
    assert Problem.model_validate_json(answer.content).request_id == answer.headers["x-request-id"]
    assert answer.headers.get_list("x-request-id") == [answer.headers["x-request-id"]]


def test_openapi_is_made_once_and_names_the_error_body() -> None:
    app = Application(Settings(), title="t")
    assert app.openapi() is app.openapi()
    assert set(app.openapi()["components"]["schemas"]) >= {"Problem", "FieldError"}
