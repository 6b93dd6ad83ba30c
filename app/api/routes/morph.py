"""`GET /morph`: an animation from one number to another and back."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.api.caching import not_modified, seeded_headers
from app.api.dependencies import ServiceDep, asked
from app.api.negotiation import joined
from app.api.openapi import CACHING, LASTING, SEED, file_answer
from app.drawing.encoding import ANIMATION_MEDIA_TYPES
from app.request.fields import chosen_seed
from app.request.morph import MorphQuery

router = APIRouter()


@router.get(
    "/morph",
    operation_id="morph",
    summary="Let one number turn into another",
    tags=["drawing"],
    response_class=Response,
    responses=file_answer("An endless animation.", ANIMATION_MEDIA_TYPES, {**SEED, **CACHING})
    | LASTING,
)
async def morph(
    request: Request, service: ServiceDep, query: Annotated[MorphQuery, Depends(asked(MorphQuery))]
) -> Response:
    """The noise moves on its sphere and the label goes from one digit to the other, and back.

    The first frame is the picture of `/generate` for the same seed, enlarged.
    """
    from app.drawing.morph import render_morph  # on first use: it needs Pillow, the start not

    service.check(query)
    renderer, seed = service.renderer, chosen_seed(query.seed)
    identity = *renderer.identity, "morph", query.canonical(seed)
    headers = seeded_headers(service.cache_control(query), query.seed, seed, *identity)
    if unchanged := not_modified(joined(request.headers, "if-none-match"), headers):
        return unchanged
    content = await service.run(request.receive, query, render_morph, renderer, query, seed)
    return Response(content, media_type=ANIMATION_MEDIA_TYPES[query.format], headers=headers)
