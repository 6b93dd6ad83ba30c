"""`GET /metrics`: what Prometheus reads, unless the metrics have a port of their own."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.telemetry.counters import Ledger

router = APIRouter()


@router.get("/metrics", include_in_schema=False)
def metrics(request: Request) -> Response:
    """The sum over all workers. No coroutine: it takes milliseconds, which a thread can spend."""
    from app.telemetry.prometheus import render  # imported when first asked for: a start does without

    ledger: Ledger = request.app.state.ledger
    content, media_type = render(ledger.pages(), request.headers.get("accept", ""))
    return Response(content, headers={"Content-Type": media_type, "Cache-Control": "no-store"})
