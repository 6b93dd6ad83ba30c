from typing import Any

import pytest
from starlette.testclient import TestClient

from app.api.openapi import BROKEN
from app.api.problem import Problem, title_of
from app.drawing.encoding import MEDIA_TYPES
from app.request.schemas import GenerateQuery


@pytest.fixture(scope="module")
def schema(client: TestClient) -> dict[str, Any]:
    return dict(client.get("/openapi.json").json())


def test_openapi_describes_generate(schema: dict[str, Any]) -> None:
    operation = schema["paths"]["/generate"]["get"]
    assert operation["operationId"] == "generate"
    names = [field.alias or name for name, field in GenerateQuery.model_fields.items()]
    assert [p["name"] for p in operation["parameters"]] == names
    assert not any(p["required"] for p in operation["parameters"])  # digits or text
    digits, text, seed = (parameter["schema"] for parameter in operation["parameters"][:3])
    assert digits.items() >= {"type": "string", "pattern": "^[0-9]{1,64}$"}.items()
    assert text.items() >= {"type": "string", "minLength": 1, "maxLength": 64}.items()
    assert seed.items() >= {"type": "integer", "minimum": 0, "maximum": 2**32 - 1}.items()
    assert "default" not in seed  # it is random, and a query string cannot say null
    assert set(operation["responses"]) == {"200", "304", "401", "406", "422", "503"}
    assert set(operation["responses"]["200"]["content"]) == set(MEDIA_TYPES.values())


def test_openapi_every_parameter_has_a_description_and_an_example(schema: dict[str, Any]) -> None:
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            assert operation["operationId"].isidentifier()
            for parameter in operation.get("parameters", []):
                assert parameter["description"], (path, parameter["name"])
                # Those that belong to a model have none, nor has one in place of another.
                assert "example" in parameter or parameter["name"] in ("style", "model", "text")


def test_openapi_names_the_one_error_body(schema: dict[str, Any]) -> None:
    refused = schema["paths"]["/generate"]["get"]["responses"]["422"]["content"]
    reference = refused["application/problem+json"]["schema"]["$ref"]
    body = schema["components"]["schemas"][reference.rsplit("/", 1)[1]]
    assert set(body["properties"]) == set(Problem.model_fields)


def test_openapi_every_reference_resolves(schema: dict[str, Any]) -> None:
    def references(node: object) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if "$ref" in node else []
            return own + [found for value in node.values() for found in references(value)]
        if isinstance(node, list):
            return [found for value in node for found in references(value)]
        return []

    assert references(schema)
    for reference in references(schema):
        assert reference.rsplit("/", 1)[1] in schema["components"]["schemas"], reference


def test_docs_names_no_third_party(client: TestClient) -> None:
    page = client.get("/docs").text
    assert "https://" not in page
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"):
        assert f"docs-assets/{asset}" in page
        assert client.get(f"/docs-assets/{asset}").status_code == 200


@pytest.mark.parametrize("ranges", ["bytes=0-1", "bytes=5-2", "bytes=99999999-", "lines=0-1"])
def test_files_of_docs_are_sent_whole(client: TestClient, ranges: str) -> None:
    path = "/docs-assets/swagger-ui.css"
    answer = client.get(path, headers={"Range": ranges})
    assert answer.status_code == 200
    assert answer.content == client.get(path).content


def test_example_of_each_refusal_is_one_of_its_status(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    operations = [each for path in document["paths"].values() for each in path.values()]
    answers = [item for each in operations for item in each["responses"].items()]
    refusals = [(status, answer) for status, answer in answers if int(status) >= 400]
    assert len(refusals) > 20
    for status, answer in refusals:
        example = answer["content"]["application/problem+json"]["example"]
        assert Problem.model_validate(example).status == int(status)
        assert example["title"] == title_of(int(status))
        assert bool(example["errors"]) == (status == "422")
    broken = client.get("/generate?digits=1&model=x").json()["errors"]
    assert broken == [BROKEN.model_dump(exclude_none=True)]
