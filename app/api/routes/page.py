"""`GET /`: the page, and the files that it is made of."""

import asyncio

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from app.api.caching import IMMUTABLE, not_modified
from app.api.dependencies import ServiceDep
from app.api.negotiation import joined, takes_gzip
from app.api.service import Service
from app.drawing.card import describe
from app.drawing.renderer import Renderer
from app.site.file import HEADER_POLICY, INDEX, WORKER, PageFile
from model.checkpoint import CheckpointError

router = APIRouter()


@router.get("/", include_in_schema=False)
async def home(request: Request, service: ServiceDep) -> Response:
    """The page itself."""
    return await _file(request, service, INDEX)


@router.get("/service-worker.js", include_in_schema=False)
async def service_worker(request: Request, service: ServiceDep) -> Response:
    """The script that keeps the page for offline use; it controls only what is below its path."""
    return await _file(request, service, WORKER)


@router.get("/page/{name}", include_in_schema=False)
async def part(request: Request, service: ServiceDep, name: str) -> Response:
    """A script, a style sheet, the weights."""
    return await _file(request, service, f"page/{name}")


async def _file(request: Request, service: Service, name: str) -> Response:
    files = await _files(service)
    if name not in files:
        raise HTTPException(404)
    return _answer(request, service.cache_scope, files[name])


async def _files(service: Service) -> dict[str, PageFile]:
    """The files for the current model, built on first use: the start does not need them.

    They are built once, however many requests wait for them, and go on if a client leaves.
    """
    renderer, page = service.renderer, service.page
    if page is None or page[0] is not renderer or _has_failed(page[1]):
        page = service.page = renderer, asyncio.create_task(run_in_threadpool(_build, renderer))
    return await asyncio.shield(page[1])


def _has_failed(building: "asyncio.Task[dict[str, PageFile]]") -> bool:
    return building.done() and (building.cancelled() or building.exception() is not None)


def _build(renderer: Renderer) -> dict[str, PageFile]:
    # On first use: the start does not need it.
    from app.site.build import is_simple, page_files, rounded_weights, shown_networks

    simple = is_simple(renderer)
    try:
        weights = None if simple else rounded_weights(renderer)
        networks = {} if simple else shown_networks(renderer)
    except CheckpointError:  # the folder holds another checkpoint, which is not loaded yet
        weights, networks = None, {}  # until then the service draws
    card = describe(renderer).model_dump_json().encode()
    files = page_files(card, weights, served=True, simple=simple, networks=networks)
    for file in files.values():
        file.packed  # noqa: B018 - compresses it now, on this thread, once
    return files


def _answer(request: Request, scope: str, file: PageFile) -> Response:
    packed = file.packed if takes_gzip(joined(request.headers, "accept-encoding")) else None
    headers = {
        "Content-Security-Policy": HEADER_POLICY,
        "Cache-Control": f"{scope}, {IMMUTABLE}" if file.lasting else "no-cache",
        "ETag": f'"{file.digest}{"" if packed is None else "-gzip"}"',
        "Vary": "Accept-Encoding",
    }
    if unchanged := not_modified(joined(request.headers, "if-none-match"), headers):
        return unchanged
    if packed is not None:
        headers["Content-Encoding"] = "gzip"
    return Response(packed or file.content, media_type=file.media_type, headers=headers)
