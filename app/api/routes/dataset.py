"""`GET /dataset`: labelled digits in bulk."""

from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from app.api.keys import DrawingRoute
from app.overload.pool import Workshop
from app.api.caching import chosen_seed, not_modified, seeded_headers
from app.drawing.dataset import MEDIA_TYPES, dataset_pieces
from app.api.openapi import BUSY, CACHING, LIMITS, LOCKED, NOT_MODIFIED, SEED, picture_answer
from app.request.schemas import DatasetQuery
from app.drawing.renderer import Studio

router = APIRouter(route_class=DrawingRoute)


@router.get(
    "/dataset",
    operation_id="dataset",
    summary="Take home labelled digits by the thousand",
    tags=["drawing"],
    response_class=Response,
    responses={
        200: picture_answer(
            "The data set, sent while it is drawn.", list(MEDIA_TYPES.values()), {**SEED, **CACHING}
        ),
        304: NOT_MODIFIED,
        401: LOCKED,
        422: LIMITS,
        503: BUSY,
    },
    openapi_extra={"parameters": DatasetQuery.openapi_parameters()},
)
async def dataset(request: Request) -> Response:
    """Random numbers of `length` digits with their pictures; the seed decides both."""
    query = DatasetQuery.parse(request.scope["query_string"])
    studio: Studio = request.app.state.studio
    seed = chosen_seed(query.seed)
    canonical = query.model_copy(update={"seed": seed}).canonical()
    headers = {
        "Content-Disposition": f'attachment; filename="digits-{seed}.{query.format}"',
        **seeded_headers(query.seed, seed, *studio.identity, "dataset", canonical),
    }
    unchanged = not_modified(request, headers)
    if unchanged:
        return unchanged
    workshop: Workshop = request.app.state.workshop
    pieces = workshop.stream(dataset_pieces(studio, query, seed))
    first = await anext(pieces)  # takes the place: a refusal is still a clean 503
    return StreamingResponse(
        _with_first(first, pieces), media_type=MEDIA_TYPES[query.format], headers=headers
    )


async def _with_first(first: bytes, others: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in others:
        yield piece
