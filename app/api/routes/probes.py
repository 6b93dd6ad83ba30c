"""`/livez`, `/readyz`, and what a browser asks for by itself."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.api.openapi import problem_answer
from app.api.errors import problem_response
from app.request.schemas import Drawing
from app.drawing.renderer import Studio

router = APIRouter()


@router.get("/livez", operation_id="live", summary="Is the process alive?", tags=["probes"])
async def live() -> dict[str, str]:
    """200 as long as the process answers at all."""
    return {"status": "live"}


@router.get(
    "/readyz",
    operation_id="ready",
    summary="Can it draw?",
    tags=["probes"],
    response_model=dict[str, str],
    responses={503: problem_answer("The service is about to end; ask another instance.")},
)
async def ready(request: Request) -> Any:
    """200 once the checkpoint is loaded, verified and warmed up, until the service is to end."""
    if request.app.state.gate.draining:
        detail = "The service is about to end; ask another instance."
        return problem_response(request.scope["request_id"], 503, detail)
    studio: Studio = request.app.state.studio
    model, engine, precision = studio.identity
    return {"status": "ready", "model": model, "engine": engine, "precision": precision}


@router.get("/favicon.ico", include_in_schema=False)
async def icon(request: Request) -> Response:
    """A digit of our own for the browser's tab; without it every visit logs a 404."""
    studio: Studio = request.app.state.studio
    content = studio.render(Drawing.parse(b"digits=2"), seed=0)
    headers = {"Cache-Control": "public, max-age=86400"}
    return Response(content, media_type="image/png", headers=headers)
