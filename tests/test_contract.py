"""The service against its own OpenAPI document: nothing undocumented, never a 5xx."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from starlette.testclient import TestClient

from app.main import create_app
from app.settings import Settings

CHECKS = [
    schemathesis.checks.not_a_server_error,
    allow_header_conformance,
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
]


# Method and number of cases, valid and invalid ones: more than 2,000 in all, most of them where
# most can go wrong, few where a valid answer is large.
OPERATIONS = {
    "/generate": ("get", 500, 500),
    "/restyle": ("post", 200, 300),
    "/morph": ("get", 60, 200),
    "/latent-map": ("get", 60, 200),
    "/dataset": ("get", 30, 200),
    "/model": ("get", 1, 0),
    "/livez": ("get", 1, 0),
    "/readyz": ("get", 1, 0),
}


@pytest.fixture(scope="module")
def api() -> Iterator[Any]:
    application = create_app(Settings())
    with TestClient(application):  # starts it; the schema then calls it directly
        yield schemathesis.openapi.from_asgi("/openapi.json", application)


def test_every_operation_is_tried(api: Any) -> None:
    documented = {(path, method) for path in api for method in api[path]}
    assert documented == {(path, method) for path, (method, _, _) in OPERATIONS.items()}
    assert sum(valid + invalid for _, valid, invalid in OPERATIONS.values()) >= 2000


@pytest.mark.parametrize("path", OPERATIONS)
def test_api_answers_valid_requests_as_documented(api: Any, path: str) -> None:
    method, valid, _ = OPERATIONS[path]
    try_out(api[path][method], GenerationMode.POSITIVE, valid)


@pytest.mark.parametrize("path", [path for path, (_, _, many) in OPERATIONS.items() if many])
def test_api_answers_invalid_requests_as_documented(api: Any, path: str) -> None:
    method, _, invalid = OPERATIONS[path]
    try_out(api[path][method], GenerationMode.NEGATIVE, invalid)


def try_out(operation: Any, mode: GenerationMode, cases: int) -> None:
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=cases, suppress_health_check=list(HealthCheck), deadline=None)
    def check(case: Any) -> None:
        case.call_and_validate(checks=CHECKS)

    check()
