"""`GET /dataset`: labelled digits in bulk."""

from collections.abc import AsyncIterator
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse

from app.api.boundary import HEAD_ONLY
from app.api.caching import not_modified, seeded_headers
from app.api.dependencies import ServiceDep, asked
from app.api.negotiation import joined
from app.api.openapi import CACHING, LASTING, SEED, file_answer
from app.request.dataset import ENDINGS, DatasetQuery
from app.request.fields import chosen_seed

router = APIRouter()
T = TypeVar("T")

VERSION = 2  # of the forms; raise it if the same request gives other bytes
MEDIA_TYPES = {
    "npz": "application/octet-stream",
    "zip": "application/zip",
    "webdataset": "application/x-tar",
}


@router.get(
    "/dataset",
    operation_id="dataset",
    summary="Download labelled digits by the thousand",
    tags=["drawing"],
    response_class=Response,
    responses=file_answer("The data set, sent while it is drawn.", MEDIA_TYPES, {**SEED, **CACHING})
    | LASTING,
)
async def dataset(
    request: Request,
    service: ServiceDep,
    query: Annotated[DatasetQuery, Depends(asked(DatasetQuery))],
) -> Response:
    """Numbers with their pictures; the seed decides these, and the numbers without texts."""
    # On first use: the start does not need it.
    from app.drawing.dataset.stream import asked_texts, dataset_pieces

    service.check(query)
    texts = asked_texts(query)
    renderer, seed = service.renderer, chosen_seed(query.seed)
    identity = *renderer.identity, f"dataset {VERSION}", query.canonical(seed)
    headers = {
        "Content-Disposition": f'attachment; filename="digits-{seed}.{ENDINGS[query.format]}"',
        **seeded_headers(service.cache_control(query), query.seed, seed, *identity),
    }
    if unchanged := not_modified(joined(request.headers, "if-none-match"), headers):
        return unchanged
    kind = MEDIA_TYPES[query.format]
    if request.scope["state"].get(HEAD_ONLY):  # nobody would take what is drawn
        return StreamingResponse(iter(()), media_type=kind, headers=headers)
    pieces = service.pool.stream(dataset_pieces(renderer, query, seed, texts))
    first = await anext(pieces)  # takes the slot, while a refusal can still be a clean 503
    return StreamingResponse(_with_first(first, pieces), media_type=kind, headers=headers)


async def _with_first(first: T, others: AsyncIterator[T]) -> AsyncIterator[T]:
    yield first
    async for piece in others:
        yield piece
