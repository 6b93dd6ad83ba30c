"""`GET /generate`: a number, handwritten."""

from typing import TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.api.keys import DrawingRoute
from app.api.caching import chosen_seed, not_modified, seeded_headers
from app.api.openapi import (
    BUSY,
    CACHING,
    LIMITS,
    LOCKED,
    NOT_MODIFIED,
    SEED,
    header,
    picture_answer,
    problem_answer,
)
from app.drawing.encoding import MEDIA_TYPES
from app.api.errors import NotAcceptable
from app.api.limit import check_pixels
from app.api.negotiation import drawing_format
from app.request.schemas import Drawing, GenerateQuery
from app.drawing.renderer import Studio, is_light

router = APIRouter(route_class=DrawingRoute)
AnyDrawing = TypeVar("AnyDrawing", bound=Drawing)


@router.get(
    "/generate",
    operation_id="generate",
    summary="Write a number by hand",
    tags=["drawing"],
    response_class=Response,
    responses={
        200: picture_answer(
            "The digits. PNG, WebP and SVG carry digits, seed, model and the request as text.",
            list(MEDIA_TYPES.values()),
            {**SEED, **CACHING, **header("Vary", "Accept, where no format is given.")},
        ),
        304: NOT_MODIFIED,
        406: problem_answer("The Accept header names none of the formats."),
        401: LOCKED,
        422: LIMITS,
        503: BUSY,
    },
    openapi_extra={"parameters": GenerateQuery.openapi_parameters()},
)
async def generate(request: Request) -> Response:
    """Each digit is decoded from random noise z ~ N(0, I) and the digit asked for.

    With `seed` the answer never changes and may be cached for ever. The first digit of
    `digits=2018&seed=7` is the digit of `digits=2&seed=7`, at any scale and among any others.
    """
    # No dependencies and no declared parameters: the framework's own reading of the query costs
    # more than drawing the digits.
    query = GenerateQuery.parse(request.scope["query_string"])
    studio: Studio = request.app.state.studio
    check_pixels(request, query)
    order = negotiated(query, request)
    seed = chosen_seed(query.seed)
    identity = *studio.identity, order.canonical()
    headers = seeded_headers(query.seed, seed, *identity)
    if query.format is None:
        headers["Vary"] = "Accept"
    unchanged = not_modified(request, headers)
    if unchanged:
        return unchanged
    return await drawn(request, order, seed, headers)


def negotiated(query: AnyDrawing, request: Request) -> AnyDrawing:
    """The query with its format: the parameter's, else the Accept header's; None means PNG.

    Raises:
        NotAcceptable: the client takes none of the formats.
    """
    chosen = query.format or drawing_format(request.headers.get("accept"))
    if chosen is None:
        raise NotAcceptable(list(MEDIA_TYPES.values()))
    return query.in_format(chosen)


async def drawn(request: Request, order: Drawing, seed: int, headers: dict[str, str]) -> Response:
    """The drawing as an answer; light ones are made here, heavy ones on a thread."""
    studio: Studio = request.app.state.studio
    if is_light(order):
        await request.app.state.turnstile.enter(order.count)
        content = studio.render(order, seed)
    else:
        content = await request.app.state.workshop.run_for(
            request.receive, studio.render, order, seed
        )
    return Response(content, media_type=MEDIA_TYPES[order.format or "png"], headers=headers)
