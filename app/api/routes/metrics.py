"""`GET /metrics`: the metrics for Prometheus, unless they have a port of their own."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.api.dependencies import ServiceDep

router = APIRouter()


@router.get("/metrics", include_in_schema=False)
def metrics(request: Request, service: ServiceDep) -> Response:
    """The sum over all workers. A plain function: FastAPI spends its milliseconds on a thread."""
    from app.telemetry.prometheus import render  # on first use: the start does not need it

    content, media_type = render(service.counters.readings(), request.headers.get("accept", ""))
    return Response(content, headers={"Content-Type": media_type, "Cache-Control": "no-store"})
