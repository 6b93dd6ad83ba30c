"""The documentation that the service gives of itself: /openapi.json and /docs.

Swagger UI comes from a Python package and not from a CDN: /docs works without the internet, and
no third party learns of its readers.
"""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from app.api.headers import swagger_policy
from app.api.problem import MEDIA_TYPE, Problem, problem_response
from app.request.error import FieldError, InvalidRequest
from app.request.queries import Queries
from app.request.query import Query

ASSETS = "docs-assets"  # relative, so that /docs works behind a path prefix too
DOCUMENTATION = ("/openapi.json", "/docs", f"/{ASSETS}")  # the paths of all this
BINARY = {"type": "string", "format": "binary"}
REQUEST_ID = "3f1c9a52d07be684"  # of the examples
BROKEN = FieldError(field="model", message="must be 16 hex digits in lower case")

Responses = dict[int | str, dict[str, Any]]


def problem_answer(status: int, description: str, example: FieldError | None = None) -> Responses:
    """The description of an answer with the one error body.

    Args:
        status: HTTP status.
        description: when it is given; of a refusal without a parameter, also its sentence.
        example: a parameter at fault.
    """
    errors = () if example is None else (example,)
    detail = str(InvalidRequest(errors)) if errors else description
    body = problem_response(REQUEST_ID, status, detail, errors).body
    reference = {"$ref": "#/components/schemas/Problem"}
    content = {MEDIA_TYPE: {"schema": reference, "example": json.loads(bytes(body))}}
    return {status: {"description": description, "content": content}}


def header(name: str, description: str, kind: str = "string") -> dict[str, Any]:
    """The description of a header of an answer."""
    return {name: {"description": description, "schema": {"type": kind}}}


def file_answer(
    description: str, media_types: Mapping[str, str], headers: dict[str, Any]
) -> Responses:
    """The description of a successful answer that is a file.

    Args:
        description: of the file.
        media_types: format -> media type.
        headers: descriptions made by `header`.
    """
    content = {
        name: {"schema": {"type": "object"} if name == "application/json" else BINARY}
        for name in media_types.values()
    }
    return {200: {"description": description, "content": content, "headers": headers}}


SEED = header("X-Seed", "The seed that draws this again.", "integer")
CACHING = {
    **header("X-Model", "The model that has drawn this; give it as `model` for a lasting address."),
    **header("ETag", "With a seed: names model and parameters."),
    **header("Cache-Control", "With a seed a day, with a seed and a model a year, else no-store."),
}
PAGE_LINK = '<p style="margin: 1rem; font-family: sans-serif"><a href="./">The page</a></p>'
NOT_MODIFIED = {"description": "The copy that If-None-Match names is still right."}
REFUSALS: Responses = {
    **problem_answer(401, "Keys are set, and the request has none of them."),
    **problem_answer(406, "The Accept header takes none of the formats."),
    **problem_answer(422, "A parameter breaks its limits.", BROKEN),
    **problem_answer(503, "The service is overloaded; Retry-After says when to come back."),
}
LASTING: Responses = {304: NOT_MODIFIED, **REFUSALS}  # of answers that may be kept


def describe_api(app: FastAPI, bases: Mapping[str, type[Query]]) -> None:
    """Let the framework's OpenAPI document define the one error body, and the parameters.

    These depend on what the model that draws can write, so a model has a document of its own.

    Args:
        app: is described.
        bases: path -> its query for models of the ten digits.
    """
    documented: Queries | None = None

    def openapi() -> dict[str, Any]:
        nonlocal documented
        renderer = getattr(app.state.service, "renderer", None)  # there is none before the start
        queries = Queries() if renderer is None else renderer.queries
        if app.openapi_schema is None or documented is not queries:
            document = get_openapi(
                title=app.title,
                version=app.version,
                summary=app.summary,
                description=app.description,
                routes=app.routes,
                servers=[{"url": "."}],  # where this document is, also below a proxy's prefix
            )
            problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas.update({**problem.pop("$defs"), "Problem": problem})
            for path, base in bases.items():
                (operation,) = document["paths"][path].values()
                operation["parameters"] = _parameters(queries.of(base))
            app.openapi_schema, documented = document, queries
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # the way that FastAPI documents


def _parameters(query: type[Query]) -> list[dict[str, Any]]:
    """What a query takes in the words of OpenAPI, with examples for the form of Swagger UI."""
    described = query.model_json_schema(ref_template="#/components/schemas/{model}")
    parameters = []
    for name in query.names():
        schema = described["properties"][name]
        if schema.get("default", "") is None:
            del schema["default"]  # a query string cannot say null
        parameter = {
            "name": name,
            "in": "query",
            "required": name in described.get("required", ()),
            "schema": schema,
            "description": schema.get("description", ""),
        }
        if examples := schema.get("examples"):
            parameter["example"] = examples[0]
        parameters.append(parameter)
    return parameters


class _WholeFiles(StaticFiles):
    """Files that are sent whole: a range that cannot be sent would be refused in other words."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [header for header in scope["headers"] if header[0] != b"range"]
        await super().__call__({**scope, "headers": headers}, receive, send)


def serve_docs(app: FastAPI) -> None:
    """Add /docs and its files to `app`."""
    app.mount(f"/{ASSETS}", _WholeFiles(directory=str(files("fastapi_swagger") / "resources")))

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        page = get_swagger_ui_html(
            openapi_url="openapi.json",
            title=app.title,
            swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{ASSETS}/swagger-ui.css",
            swagger_favicon_url=f"{ASSETS}/favicon-32x32.png",
            swagger_ui_parameters={"tryItOutEnabled": True},
        )
        text = bytes(page.body).decode().replace("<body>", f"<body>{PAGE_LINK}", 1)
        return HTMLResponse(text, headers={"Content-Security-Policy": swagger_policy(text)})
