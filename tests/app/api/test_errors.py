import pytest
from starlette.testclient import TestClient

from app.api.problem import Problem, problem_response
from tests.app.conftest import AssertProblem


@pytest.mark.parametrize("path", ["/generate/", "/nope", "/docs-assets/none.js", "/../etc/passwd"])
def test_unknown_address_is_404(assert_problem: AssertProblem, path: str) -> None:
    problem = assert_problem(path, 404)
    assert problem.detail == "There is nothing at this address; see /docs for what there is."
    assert problem.errors == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_other_method_is_405(
    client: TestClient, assert_problem: AssertProblem, method: str
) -> None:
    assert_problem("/generate?digits=1", 405, method)
    assert client.request(method, "/generate?digits=1").headers["allow"] == "GET, HEAD"


def test_status_that_python_does_not_know_has_a_title() -> None:
    body = problem_response("id", 499, "The client closed its connection.").body
    assert Problem.model_validate_json(bytes(body)).title == "Client Closed Request"
