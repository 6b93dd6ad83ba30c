from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from app.api.problem import Problem

AssertProblem = Callable[..., Problem]


@pytest.fixture(scope="session")
def assert_problem(client: TestClient) -> AssertProblem:
    """Send a request, hold the answer against the one error body, return it."""

    def check(url: str, status: int, method: str = "GET") -> Problem:
        answer = client.request(method, url)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["cache-control"] == "no-store"
        assert set(answer.json()) == set(Problem.model_fields)
        problem = Problem.model_validate_json(answer.content)
        assert problem.status == status
        assert problem.request_id == answer.headers["x-request-id"]
        assert problem.detail.endswith(".")
        return problem

    return check
