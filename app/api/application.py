"""FastAPI behind layers of our own."""

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send


class Application(FastAPI):
    """FastAPI with layers in front of its own.

    The layers of FastAPI cost about as much as drawing two digits, and the fast path does not
    need them: hence ours come first, and not among them as `add_middleware` would have it.
    """

    layers: list[Middleware]  # outermost first; set before the first request
    _entrance: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope."""
        if self._entrance is None:
            app: ASGIApp = super().__call__
            for layer in reversed(self.layers):
                app = layer.cls(app, *layer.args, **layer.kwargs)
            self._entrance = app
        await self._entrance(scope, receive, send)

    def build_middleware_stack(self) -> ASGIApp:
        """The layers of FastAPI but its last resort for errors, which is `Boundary` here."""
        stack = super().build_middleware_stack()
        return stack.app if isinstance(stack, ServerErrorMiddleware) else stack
