"""`GET /generate`: a number, handwritten."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.api.caching import not_modified, seeded_headers
from app.api.dependencies import ServiceDep, asked
from app.api.negotiation import joined, negotiated_format
from app.api.openapi import CACHING, LASTING, SEED, file_answer, header
from app.api.service import Service
from app.drawing.encoding import MEDIA_TYPES
from app.drawing.renderer import Order
from app.request.fields import chosen_seed
from app.request.schemas import GenerateQuery

router = APIRouter()


@router.get(
    "/generate",
    operation_id="generate",
    summary="Write a number by hand",
    tags=["drawing"],
    response_class=Response,
    responses=file_answer(
        "The digits. PNG, WebP and SVG carry digits, seed, model and the request as text.",
        MEDIA_TYPES,
        {**SEED, **CACHING, **header("Vary", "Accept, where no format is given.")},
    )
    | LASTING,
)
async def generate(
    request: Request,
    service: ServiceDep,
    query: Annotated[GenerateQuery, Depends(asked(GenerateQuery))],
) -> Response:
    """Each digit is decoded from random noise z ~ N(0, I) and the digit asked for.

    With `seed` the answer never changes and may be cached. The first digit of
    `digits=2018&seed=7` is the digit of `digits=2&seed=7`, at any scale and among any others.
    """
    service.check(query)
    kind = negotiated_format(query.format, joined(request.headers, "accept"))
    seed = chosen_seed(query.seed)
    drawing = query.in_format(kind)
    headers = drawing_headers(service, drawing, seed, negotiated=query.format is None)
    if unchanged := not_modified(joined(request.headers, "if-none-match"), headers):
        return unchanged
    content = await service.draw(Order(drawing, seed), request.receive)
    return Response(content, media_type=MEDIA_TYPES[kind], headers=headers)


def drawing_headers(
    service: Service, drawing: GenerateQuery, seed: int, *, negotiated: bool
) -> dict[str, str]:
    """The headers of a drawing, on the fast path and on the ordinary route.

    Args:
        service: what draws.
        drawing: the query, with the format of the drawing.
        seed: to draw with, random where the query has none.
        negotiated: whether the Accept header decided on the format.
    """
    request = drawing.canonical() if drawing.seed is not None else ""
    identity = *service.renderer.identity, request
    headers = seeded_headers(service.cache_control(drawing), drawing.seed, seed, *identity)
    if negotiated:
        headers["Vary"] = "Accept"
    return headers
