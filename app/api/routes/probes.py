"""`/livez`, `/readyz`, and the icon that browsers ask for by themselves."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.api.dependencies import ServiceDep
from app.api.openapi import problem_answer
from app.api.problem import problem_response
from app.drawing.renderer import Order

router = APIRouter()
DRAINING = "The service is about to end; ask another instance."


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
    responses=problem_answer(503, DRAINING),
)
async def ready(request: Request, service: ServiceDep) -> Any:
    """200 from when the checkpoint is loaded and verified until the service begins to end."""
    if service.draining:
        return problem_response(request.state.request_id, 503, DRAINING)
    model, engine, precision = service.renderer.identity
    return {"status": "ready", "model": model, "engine": engine, "precision": precision}


@router.get("/favicon.ico", include_in_schema=False)
async def icon(service: ServiceDep) -> Response:
    """A digit for the tab of the browser; without it every visit would log a 404."""
    renderer = service.renderer
    line = "2" if renderer.alphabet.kind == "digits" else renderer.alphabet.sample
    query = renderer.sample.model_copy(update={"line": line})
    (content,) = renderer.render([Order(query, seed=0)])
    headers = {"Cache-Control": f"{service.cache_scope}, max-age=86400"}
    return Response(content, media_type="image/png", headers=headers)
