"""`GET /model`: the model card as JSON."""

import hashlib

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from app.api.caching import not_modified
from app.api.dependencies import ServiceDep
from app.api.negotiation import joined
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
    response = JSONResponse(describe(service.renderer).model_dump(mode="json"))
    tag = hashlib.sha256(response.body).hexdigest()[:24]
    headers = {"Cache-Control": "no-cache", "ETag": f'"{tag}"'}  # the model may be replaced
    response.headers.update(headers)
    return not_modified(joined(request.headers, "if-none-match"), headers) or response
