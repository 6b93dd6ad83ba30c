"""`GET /metrics`: the metrics for Prometheus, unless they have a port of their own."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from app.api.dependencies import ServiceDep
from app.api.negotiation import joined

router = APIRouter()


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request, service: ServiceDep) -> Response:
    """The sum over all workers, computed at most once a second and on a thread."""
    from app.telemetry.prometheus import Scrapes  # on first use: the start does not need it

    if (scrapes := service.scrapes) is None:
        scrapes = service.scrapes = Scrapes(service.counters.readings)
    accept = joined(request.headers, "accept") or ""
    if (found := scrapes.kept(accept)) is None:
        found = await run_in_threadpool(scrapes.render, accept)
    content, media_type = found
    return Response(content, headers={"Content-Type": media_type, "Cache-Control": "no-store"})
