"""`GET /model`: the model card as JSON."""

import hashlib

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.api.caching import not_modified
from app.api.dependencies import ServiceDep
from app.api.openapi import NOT_MODIFIED
from app.drawing.card import ModelCard, describe

router = APIRouter()


@router.get(
    "/model",
    operation_id="getModel",
    summary="Describe the model",
    tags=["model"],
    response_model=ModelCard,
    responses={304: NOT_MODIFIED},
)
async def model_card(request: Request, service: ServiceDep) -> Response:
    """Architecture, data, measured quality, hashes and versions of the model that draws."""
    content = describe(service.renderer).model_dump_json().encode()
    tag = f'"{hashlib.sha256(content).hexdigest()[:24]}"'
    headers = {"Cache-Control": "no-cache", "ETag": tag}  # the model may be replaced at any time
    unchanged = not_modified(request.headers.get("if-none-match"), headers)
    return unchanged or Response(content, media_type="application/json", headers=headers)
