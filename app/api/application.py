"""The application object: FastAPI behind a front of few plain ASGI layers."""

from typing import Any

from fastapi import FastAPI
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.keys import SCHEMES, SECURITY, Access, has_keys
from app.api.boundary import Boundary
from app.api.cors import Cors
from app.api.errors import Problem
from app.api.fast_path import FastLane
from app.settings import Settings

DRAWING = "drawing"  # the tag of all that needs a key where there are keys


class Application(FastAPI):
    """FastAPI with our boundary around it and the short way before its routes.

    The front stands before FastAPI's own layers, not among them: it answers the most frequent
    request without them, and it catches what they let through.
    """

    def __init__(self, settings: Settings, **options: Any) -> None:
        super().__init__(**options)
        front: ASGIApp = FastLane(super().__call__, self.state)
        if has_keys(settings):
            front = Access(front, self.state)
        if settings.cors_origins:
            front = Cors(front, settings.cors_origins.split(","))
        self.front = Boundary(front)
        self.entrance: ASGIApp = self.front

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope."""
        await self.entrance(scope, receive, send)

    def build_middleware_stack(self) -> ASGIApp:
        """FastAPI's layers without its last resort for errors, whose place our boundary takes."""
        stack = super().build_middleware_stack()
        return stack.app if isinstance(stack, ServerErrorMiddleware) else stack

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, made once; it names the one error body and the keys."""
        if not self.openapi_schema:
            schema = super().openapi()
            problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas = schema.setdefault("components", {}).setdefault("schemas", {})
            schemas.update({**problem.pop("$defs"), "Problem": problem})
            schema["components"]["securitySchemes"] = SCHEMES
            for operations in schema["paths"].values():
                for operation in operations.values():
                    if DRAWING in operation.get("tags", ()):
                        operation["security"] = SECURITY
        return super().openapi()
