"""`POST /restyle`: any number, in the hand of one digit that somebody wrote."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.api.keys import DrawingRoute
from app.overload.pool import Workshop
from app.api.caching import chosen_seed
from app.api.openapi import BUSY, LOCKED, SEED, header, picture_answer, problem_answer
from app.drawing.encoding import MEDIA_TYPES
from app.api.limit import check_pixels
from app.api.routes.generate import drawn, negotiated
from app.request.schemas import GenerateQuery, RestyleQuery
from app.drawing.renderer import Studio
from app.upload import FIELD, MAX_BYTES, MAX_PICTURES, uploaded_pictures

router = APIRouter(route_class=DrawingRoute)

BINARY = {"type": "string", "format": "binary"}
BODY: dict[str, Any] = {
    "required": True,
    "description": f"One picture of a digit, or up to {MAX_PICTURES} of the same digit by the "
    f"same hand, {MAX_BYTES} bytes in all: a photo of ink on paper, or bright on dark.",
    "content": {
        **{name: {"schema": BINARY} for name in ("image/png", "image/jpeg", "image/webp")},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": [FIELD],
                "properties": {
                    FIELD: {
                        "type": "array",
                        "items": BINARY,
                        "minItems": 1,
                        "maxItems": MAX_PICTURES,
                    }
                },
            }
        },
    },
}


@router.post(
    "/restyle",
    operation_id="restyle",
    summary="Write a number in your own hand",
    tags=["drawing"],
    response_class=Response,
    responses={
        200: picture_answer(
            "The number in the hand of the picture.",
            list(MEDIA_TYPES.values()),
            {
                **SEED,
                **header("X-Style", "The hand; give it to /generate as `style` to keep it."),
                **header("X-Label", "The digit that the picture was taken for.", "integer"),
            },
        ),
        401: LOCKED,
        406: problem_answer("The Accept header names none of the formats."),
        408: problem_answer("The upload does not come to its end."),
        413: problem_answer("The upload is too large, in bytes or in pixels."),
        415: problem_answer("The upload is no picture."),
        422: problem_answer("A parameter breaks its limits, or the picture holds no ink."),
        503: BUSY,
    },
    openapi_extra={"parameters": RestyleQuery.openapi_parameters(), "requestBody": BODY},
)
async def restyle(request: Request) -> Response:
    """The encoder finds the noise that draws a digit like yours; other labels keep that noise.

    `X-Style` of the answer is that noise as a short text: `/generate?digits=42&style=...` writes on
    in the same hand, without the picture.
    """
    query = RestyleQuery.parse(request.scope["query_string"])
    studio: Studio = request.app.state.studio
    check_pixels(request, query)
    order = negotiated(query, request)
    workshop: Workshop = request.app.state.workshop
    with request.app.state.uploads.taken():
        contents = await uploaded_pictures(request, request.app.state.settings.max_upload_bytes)
        style, label = await workshop.run_for(
            request.receive, find_hand, studio, contents, query.label
        )
    seed = chosen_seed(query.seed)
    fields = {**order.model_dump(exclude={"label"}), "style": style}
    headers = {
        "X-Seed": str(seed),
        "X-Style": style,
        "X-Label": str(label),
        "Cache-Control": "no-store",
    }
    return await drawn(request, GenerateQuery.model_construct(**fields), seed, headers)


def find_hand(studio: Studio, contents: list[bytes], label: int | None) -> tuple[str, int]:
    """The style token of uploaded pictures, and the label that they were taken for.

    Raises:
        Refused: one of them cannot be used.
    """
    # Imported when first asked for: the default path starts and draws without Pillow.
    from app.drawing.handwriting import read_digit

    pictures = [read_digit(content) for content in contents]
    label = studio.generator.read(pictures[0]) if label is None else label
    return studio.style_of(pictures, [label] * len(pictures)), label
