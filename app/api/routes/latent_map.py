"""`GET /latent-map`: how a digit changes with its noise."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.api.keys import DrawingRoute
from app.api.caching import caching_headers, not_modified
from app.drawing.palette import Palette
from app.api.openapi import BUSY, CACHING, LIMITS, LOCKED, NOT_MODIFIED, picture_answer
from app.drawing.encoding import MEDIA_TYPES, encode_png, encode_webp
from app.drawing.latent_map import map_sheet
from app.telemetry.counters import ENCODE
from app.api.limit import check_pixels
from app.drawing.svg import encode_svg
from app.request.schemas import LatentMapQuery
from app.drawing.renderer import Studio

router = APIRouter(route_class=DrawingRoute)
FORMATS = ("png", "webp", "svg")


@router.get(
    "/latent-map",
    operation_id="latentMap",
    summary="Map what the noise does to a digit",
    tags=["drawing"],
    response_class=Response,
    responses={
        200: picture_answer("The sheet.", [MEDIA_TYPES[name] for name in FORMATS], CACHING),
        304: NOT_MODIFIED,
        401: LOCKED,
        422: LIMITS,
        503: BUSY,
    },
    openapi_extra={"parameters": LatentMapQuery.openapi_parameters()},
)
async def latent_map(request: Request) -> Response:
    """The most typical digit in the middle; from there the two directions that change it most."""
    query = LatentMapQuery.parse(request.scope["query_string"])
    check_pixels(request, query)
    studio: Studio = request.app.state.studio
    headers = caching_headers(True, *studio.identity, "latent-map", query.canonical())
    unchanged = not_modified(request, headers)
    if unchanged:
        return unchanged
    content = await request.app.state.workshop.run_for(request.receive, draw_map, studio, query)
    return Response(content, media_type=MEDIA_TYPES[query.format], headers=headers)


def draw_map(studio: Studio, query: LatentMapQuery) -> bytes:
    """The file of a map."""
    palette = Palette(query.ink, query.paper)
    facts = {"request": query.canonical(), "model": studio.model_hash}
    outlines = query.format == "svg"  # which scale by themselves
    sheet = map_sheet(studio, query.model_copy(update={"scale": 1}) if outlines else query)
    with studio.ledger.stage(ENCODE):
        if outlines:
            return encode_svg(sheet, str(query.digit), facts, palette, query.scale)
        if query.format == "webp":
            return encode_webp(sheet, facts, palette)
        return encode_png(sheet, facts, palette)
