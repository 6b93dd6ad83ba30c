"""The endpoints, one file each."""

from fastapi import APIRouter, Depends

from app.api.dependencies import refuse_repeated, require_key
from app.api.routes import card, dataset, generate, latent_map, metrics, morph, page, probes, restyle


def all_routes(with_keys: bool, with_metrics: bool) -> APIRouter:
    """The router of the whole API.

    Args:
        with_keys: whether drawing needs a key.
        with_metrics: whether /metrics is served here and not on a port of its own.
    """
    router = APIRouter()
    checks = [Depends(require_key)] if with_keys else []
    for part in (generate, restyle, morph, latent_map, dataset):
        router.include_router(part.router, dependencies=[*checks, Depends(refuse_repeated)])
    for part in (card, probes, page, *([metrics] if with_metrics else [])):
        router.include_router(part.router)
    return router
