"""The documentation that the service gives of itself: /openapi.json and /docs.

Swagger UI comes from a Python package instead of a CDN: /docs works without the internet, and no
third party learns who reads it.
"""

from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

from app.api.headers import swagger_policy

ASSETS = "docs-assets"  # relative, so that the page works behind a path prefix too


def problem_answer(description: str) -> dict[str, Any]:
    """How OpenAPI describes an answer with the one error body."""
    reference = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": description,
        "content": {"application/problem+json": {"schema": reference}},
    }


def header(name: str, description: str, kind: str = "string") -> dict[str, Any]:
    """How OpenAPI describes a header of an answer."""
    return {name: {"description": description, "schema": {"type": kind}}}


SEED = header("X-Seed", "The seed that draws this again.", "integer")
CACHING = {
    **header("ETag", "With a seed: names model and parameters."),
    **header("Cache-Control", "With a seed immutable for a year, without one no-store."),
}
NOT_MODIFIED = {"description": "What If-None-Match names is still the right answer."}


def picture_answer(
    description: str, media_types: list[str], headers: dict[str, Any]
) -> dict[str, Any]:
    """How OpenAPI describes an answer that is a file."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    content = {
        name: {"schema": {"type": "object"}} if name == "application/json" else binary
        for name in media_types
    }
    return {"description": description, "content": content, "headers": headers}


LIMITS = problem_answer("A parameter breaks its limits.")
LOCKED = problem_answer("Keys are set, and the request has none that fits.")
BUSY = problem_answer("Too much heavy work is waiting; Retry-After says when to come back.")


def serve_docs(app: FastAPI) -> None:
    """Add /docs and the files it needs to `app`."""
    app.mount(f"/{ASSETS}", StaticFiles(directory=str(files("fastapi_swagger") / "resources")))

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
        page.headers["Content-Security-Policy"] = swagger_policy(bytes(page.body).decode())
        return page
