"""`GET /`: the page, and the files that it is made of."""

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import State

from app.api.caching import IMMUTABLE, not_modified
from app.site.build import HEADER_POLICY, INDEX, WORKER, PageFile, page_files, rounded_weights
from app.api.routes.card import describe
from app.drawing.renderer import Studio
from model.checkpoint import CheckpointError

router = APIRouter()


@router.get("/", include_in_schema=False)
async def home(request: Request) -> Response:
    """The page itself."""
    return await _file(request, INDEX)


@router.get("/service-worker.js", include_in_schema=False)
async def service_worker(request: Request) -> Response:
    """What keeps the page for the time without a connection; it rules only what lies below it."""
    return await _file(request, WORKER)


@router.get("/page/{name}", include_in_schema=False)
async def part(request: Request, name: str) -> Response:
    """A script, a style, the weights."""
    return await _file(request, f"page/{name}")


async def _file(request: Request, name: str) -> Response:
    files = await _files(request.app.state)
    if name not in files:
        raise HTTPException(404)
    return _answer(request, files[name])


async def _files(state: State) -> dict[str, PageFile]:
    """The files for the model that draws, made when first asked for: the start needs none."""
    studio: Studio = state.studio
    made: tuple[Studio, dict[str, PageFile]] | None = getattr(state, "page", None)
    if made is None or made[0] is not studio:
        made = state.page = studio, await run_in_threadpool(_packed_files, studio)
    return made[1]


def _packed_files(studio: Studio) -> dict[str, PageFile]:
    try:
        weights = rounded_weights(studio)
    except CheckpointError:  # another checkpoint lies there by now: the service draws until it is
        weights = None  # taken over
    files = page_files(describe(studio).model_dump_json().encode(), weights, served=True)
    for file in files.values():
        file.packed  # noqa: B018 - packed here, on a thread, once
    return files


def _answer(request: Request, file: PageFile) -> Response:
    takes_gzip = "gzip" in request.headers.get("accept-encoding", "")
    packed = file.packed if takes_gzip else None
    headers = {
        "Content-Security-Policy": HEADER_POLICY,
        "Cache-Control": IMMUTABLE if file.lasting else "no-cache",
        "ETag": f'"{file.digest}{"" if packed is None else "-gzip"}"',
        "Vary": "Accept-Encoding",
    }
    unchanged = not_modified(request, headers)
    if unchanged:
        return unchanged
    if packed is not None:
        headers["Content-Encoding"] = "gzip"
    return Response(packed or file.content, media_type=file.media_type, headers=headers)
