"""`GET /latent-map`: how a digit changes with its noise."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.api.caching import lasting_headers, not_modified
from app.api.dependencies import ServiceDep, asked
from app.api.negotiation import joined
from app.api.openapi import CACHING, LASTING, file_answer
from app.drawing.encoding import MEDIA_TYPES
from app.drawing.latent_map import render_map
from app.request.schemas import LatentMapQuery

router = APIRouter()
FORMATS = {name: MEDIA_TYPES[name] for name in ("png", "webp", "svg")}


@router.get(
    "/latent-map",
    operation_id="latentMap",
    summary="Map what the noise does to a digit",
    tags=["drawing"],
    response_class=Response,
    responses=file_answer("The sheet.", FORMATS, CACHING) | LASTING,
)
async def latent_map(
    request: Request,
    service: ServiceDep,
    query: Annotated[LatentMapQuery, Depends(asked(LatentMapQuery))],
) -> Response:
    """The most typical digit is in the middle, surrounded by its changes in two directions.

    They are the two directions of the noise that change the digit most.
    """
    service.check(query)
    renderer = service.renderer
    identity = *renderer.identity, "latent-map", query.canonical()
    headers = lasting_headers(service.cache_control(query), *identity)
    if unchanged := not_modified(joined(request.headers, "if-none-match"), headers):
        return unchanged
    content = await service.run(request.receive, query, render_map, renderer, query)
    return Response(content, media_type=MEDIA_TYPES[query.format], headers=headers)
