"""The endpoints, one file each."""

from fastapi import APIRouter, Depends
from fastapi.routing import APIRoute
from starlette.routing import Route

from app.api.dependencies import ASKED, require_key
from app.api.openapi import DOCUMENTATION
from app.api.routes import (
    card,
    dataset,
    generate,
    latent_map,
    metrics,
    morph,
    page,
    probes,
    restyle,
)
from app.request.query import Query

DRAWING = (generate, restyle, morph, latent_map, dataset)
OTHER = (card, probes, page, metrics)


def all_routes(with_keys: bool, with_metrics: bool, with_page: bool) -> APIRouter:
    """The router of the whole API.

    Args:
        with_keys: whether drawing needs a key.
        with_metrics: whether /metrics is served here and not on a port of its own.
        with_page: whether the page and its weights are served.
    """
    router = APIRouter()
    checks = [Depends(require_key)] if with_keys else []
    for part in DRAWING:
        router.include_router(part.router, dependencies=checks)
    closed = [part for part, served in ((metrics, with_metrics), (page, with_page)) if not served]
    for part in OTHER:
        if part not in closed:
            router.include_router(part.router)
    return router


def route_queries() -> dict[str, type[Query]]:
    """The path of each endpoint that draws, and its query for models of the ten digits."""
    return {
        route.path: getattr(dependency.call, ASKED)
        for part in DRAWING
        for route in part.router.routes
        if isinstance(route, APIRoute)
        for dependency in route.dependant.dependencies
        if hasattr(dependency.call, ASKED)
    }


def route_paths() -> list[str]:
    """The path of every endpoint, for telemetry."""
    routes = [route for part in (*DRAWING, *OTHER) for route in part.router.routes]
    return [*DOCUMENTATION, *(route.path for route in routes if isinstance(route, Route))]
