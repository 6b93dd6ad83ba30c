"""Cross-origin resource sharing: which pages of other origins may read answers."""

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from app.settings import Settings

REQUEST_HEADERS = ("Authorization", "If-None-Match", "X-API-Key", "X-Request-ID")
RESPONSE_HEADERS = (
    "ETag",
    "Retry-After",
    "X-Label",
    "X-Label-Confidence",
    "X-Warning",
    "X-Model",
    "X-Request-ID",
    "X-Seed",
    "X-Style",
)
MAX_AGE_S = 3600  # how long a browser may remember the permission


def cors_layers(settings: Settings) -> list[Middleware]:
    """Starlette's layer for the origins of the settings, never with cookies; none without any."""
    if not settings.cors_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins.split(","),
            allow_methods=["GET", "HEAD", "POST"],
            allow_headers=REQUEST_HEADERS,
            expose_headers=RESPONSE_HEADERS,
            max_age=MAX_AGE_S,
        )
    ]
