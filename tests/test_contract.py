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

CASES = 200  # for each operation and kind of data: more than 2,000 in all
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


OPERATIONS = {
    "/generate": "get",
    "/restyle": "post",
    "/morph": "get",
    "/latent-map": "get",
    "/dataset": "get",
    "/model": "get",
    "/livez": "get",
    "/readyz": "get",
}


@pytest.fixture(scope="module")
def api() -> Iterator[Any]:
    application = create_app(Settings())
    with TestClient(application):  # starts it; the schema then calls it directly
        yield schemathesis.openapi.from_asgi("/openapi.json", application)


def test_every_operation_is_tried(api: Any) -> None:
    documented = {(path, method) for path in api for method in api[path]}
    assert documented == set(OPERATIONS.items())


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(("path", "method"), OPERATIONS.items())
def test_api_answers_as_documented(api: Any, path: str, method: str, mode: GenerationMode) -> None:
    operation = api[path][method]
    if mode is GenerationMode.NEGATIVE and not operation.query:
        return  # nothing to get wrong

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=CASES, suppress_health_check=list(HealthCheck), deadline=None)
    def check(case: Any) -> None:
        case.call_and_validate(checks=CHECKS)

    check()
