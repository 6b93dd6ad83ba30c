"""Which other origins' pages may read the answers: none, unless they are named."""

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SENT = ("Authorization", "If-None-Match", "X-API-Key", "X-Request-ID")
READ = ("ETag", "Retry-After", "X-Label", "X-Request-ID", "X-Seed", "X-Style")
MAX_AGE_S = 3600  # how long a browser may keep the leave


class Cors(CORSMiddleware):
    """Starlette's CORS, never with cookies.

    It adds `Vary: Origin` also where the request names no origin: a cache that keeps such an
    answer must not give it to a page that needs the headers of CORS.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        """Wrap an application.

        Args:
            app: what answers.
            origins: such as `https://example.org`; `*` stands for all.
        """
        super().__init__(
            app,
            allow_origins=[origin.rstrip("/") for origin in origins],
            allow_methods=["GET", "HEAD", "POST"],
            allow_headers=list(SENT),
            expose_headers=list(READ),
            max_age=MAX_AGE_S,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope."""

        async def send_varying(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(raw=message["headers"]).add_vary_header("Origin")
            await send(message)

        same_for_all = self.allow_all_origins or scope["type"] != "http"
        if same_for_all or "origin" in Headers(scope=scope):
            await super().__call__(scope, receive, send)
        else:
            await self.app(scope, receive, send_varying)
