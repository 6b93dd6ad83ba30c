"""`POST /restyle`: any number, in the hand of one uploaded digit."""

from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.api.dependencies import ServiceDep, asked
from app.api.negotiation import joined, negotiated_format
from app.api.openapi import BINARY, REFUSALS, SEED, Responses, file_answer, header, problem_answer
from app.api.upload import FIELD, MAX_BYTES, MAX_PICTURES, uploaded_pictures
from app.drawing.encoding import MEDIA_TYPES
from app.drawing.renderer import Order
from app.request.fields import chosen_seed
from app.request.schemas import RestyleQuery
from model.alphabet import Alphabet

if TYPE_CHECKING:  # the start does without Pillow
    from app.drawing.handwriting import Hand

router = APIRouter()

BODY: dict[str, Any] = {
    "required": True,
    "description": f"One picture of a digit, or up to {MAX_PICTURES} of the same digit in the "
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
HEADERS = {
    **SEED,
    **header("X-Style", "The hand; give it to /generate as `style` to keep it."),
    **header("X-Label", "The label that the picture was recognised as, percent-encoded."),
}
UPLOAD_REFUSALS: Responses = {
    408: problem_answer("The upload did not arrive in time."),
    413: problem_answer("The upload is too large, in bytes or in pixels."),
    415: problem_answer("The upload is not a picture of a supported type."),
    422: problem_answer("A parameter breaks its limits, or the picture contains no ink."),
}


@router.post(
    "/restyle",
    operation_id="restyle",
    summary="Write a number in your own hand",
    tags=["drawing"],
    response_class=Response,
    responses=file_answer("The number in the hand of the picture.", MEDIA_TYPES, HEADERS)
    | REFUSALS
    | UPLOAD_REFUSALS,
    openapi_extra={"requestBody": BODY},
)
async def restyle(
    request: Request,
    service: ServiceDep,
    query: Annotated[RestyleQuery, Depends(asked(RestyleQuery))],
) -> Response:
    """The encoder finds the noise that draws a digit like yours; other labels keep that noise.

    `X-Style` of the answer is that noise as a short text: `/generate?digits=42&style=...`
    continues in the same hand, without the picture.
    """
    from app.drawing.handwriting import find_hand  # on first use: it needs Pillow, the start not

    service.check(query)
    kind = negotiated_format(query.format, joined(request.headers, "accept"))
    memory = service.upload_memory
    with memory.share() as share:
        pictures = await uploaded_pictures(
            request, memory, share, service.settings.max_upload_bytes
        )
        hand = await service.read(
            request.receive, find_hand, service.renderer, pictures, query.label_index
        )
        del pictures
    service.check(query)  # again: the model may have been replaced meanwhile
    seed = chosen_seed(query.seed)
    fields = {**query.model_dump(exclude={"label"}, by_alias=True), "style": hand.style}
    generate = service.renderer.queries.generate
    drawing = generate.model_construct(**fields).in_format(kind)
    content = await service.draw(Order(drawing, seed), request.receive)
    headers = {
        "X-Seed": str(seed),
        "X-Model": service.renderer.model_hash,
        "X-Style": hand.style,
        **_label(service.renderer.alphabet, hand),
        "Cache-Control": "no-store",
    }
    return Response(content, media_type=MEDIA_TYPES[kind], headers=headers)


def _label(alphabet: Alphabet, hand: "Hand") -> dict[str, str]:
    """The header with what the pictures show, if the model knows labels; percent-encoded."""
    if hand.label is None:
        return {}
    return {"X-Label": quote(alphabet.names[hand.label], safe=" ")}
