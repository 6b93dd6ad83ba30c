"""`GET /morph`: one number turns into another and back."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.api.keys import DrawingRoute
from app.api.caching import chosen_seed, not_modified, seeded_headers
from app.drawing.palette import Palette
from app.api.openapi import BUSY, CACHING, LIMITS, LOCKED, NOT_MODIFIED, SEED, picture_answer
from app.telemetry.counters import ENCODE
from app.api.limit import check_pixels
from app.drawing.morph import morph_sheets
from app.request.schemas import MorphQuery
from app.drawing.renderer import Studio

router = APIRouter(route_class=DrawingRoute)
MEDIA_TYPES = {"webp": "image/webp", "gif": "image/gif", "apng": "image/apng"}


@router.get(
    "/morph",
    operation_id="morph",
    summary="Let one number turn into another",
    tags=["drawing"],
    response_class=Response,
    responses={
        200: picture_answer(
            "An animation that runs for ever.", list(MEDIA_TYPES.values()), {**SEED, **CACHING}
        ),
        304: NOT_MODIFIED,
        401: LOCKED,
        422: LIMITS,
        503: BUSY,
    },
    openapi_extra={"parameters": MorphQuery.openapi_parameters()},
)
async def morph(request: Request) -> Response:
    """The noise walks on its sphere and the label goes from one digit to the other, and back.

    The first frame is the picture of `/generate` for the same seed, drawn large.
    """
    query = MorphQuery.parse(request.scope["query_string"])
    check_pixels(request, query)
    studio: Studio = request.app.state.studio
    seed = chosen_seed(query.seed)
    canonical = query.model_copy(update={"seed": seed}).canonical()
    headers = seeded_headers(query.seed, seed, *studio.identity, "morph", canonical)
    facts = {"seed": str(seed), "request": canonical, "model": studio.model_hash}

    def animate() -> bytes:
        # Imported when first asked for: the default path starts and draws without Pillow.
        from app.drawing.animation import encode_animation

        sheets = morph_sheets(studio, query, seed)
        palette = Palette(query.ink, query.paper)
        with studio.ledger.stage(ENCODE):
            return encode_animation(sheets, facts, palette, query.fps, query.format)

    unchanged = not_modified(request, headers)
    if unchanged:
        return unchanged
    content = await request.app.state.workshop.run_for(request.receive, animate)
    return Response(content, media_type=MEDIA_TYPES[query.format], headers=headers)
