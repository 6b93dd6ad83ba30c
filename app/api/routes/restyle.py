"""`POST /restyle`: any number, in the handwriting of one uploaded digit."""

from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.api.dependencies import ServiceDep, asked
from app.api.negotiation import joined, negotiated_format
from app.api.openapi import (
    BINARY,
    BROKEN,
    REFUSALS,
    SEED,
    Responses,
    file_answer,
    header,
    problem_answer,
)
from app.api.upload import MAX_BYTES, MAX_PICTURES, uploaded_pictures
from app.drawing.encoding import MEDIA_TYPES
from app.drawing.renderer import Order
from app.request.error import PICTURE
from app.request.fields import chosen_seed
from app.request.schemas import RestyleQuery
from model.alphabet import Alphabet

if TYPE_CHECKING:  # the start does without Pillow
    from app.drawing.handwriting import Hand

router = APIRouter()

BODY: dict[str, Any] = {
    "required": True,
    "description": f"One picture of a digit, or up to {MAX_PICTURES} of the same digit by the same "
    f"writer, by default at most {MAX_BYTES} bytes in all: any photo, scan or drawing. With "
    "shows=line, one picture of a line of digits.",
    "content": {
        **{name: {"schema": BINARY} for name in ("image/png", "image/jpeg", "image/webp")},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": [PICTURE],
                "properties": {
                    PICTURE: {
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
    **header("X-Style", "The handwriting; give it to /generate as `style` to keep it."),
    **header("X-Label", "What was read, percent-encoded; with shows=line all digits of the line."),
    **header(
        "X-Label-Confidence", "The probability of X-Label; of a line, the mean of its digits."
    ),
    **header("X-Warning", "A label that may be wrong, or marks that were not used."),
}
UPLOAD_REFUSALS: Responses = {
    **problem_answer(408, "The upload did not arrive in time."),
    **problem_answer(413, "The upload is too large, in bytes or in pixels."),
    **problem_answer(415, "The upload is not a picture of a supported type."),
    **problem_answer(
        422, "A parameter breaks its limits, or the picture does not show one digit.", BROKEN
    ),
}


@router.post(
    "/restyle",
    operation_id="restyle",
    summary="Write a number in your own handwriting",
    tags=["drawing"],
    response_class=Response,
    responses=file_answer("The number in the handwriting of the picture.", MEDIA_TYPES, HEADERS)
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
    continues in the same handwriting, without the picture.
    """
    # On first use: they need Pillow, the start does not.
    from app.drawing.handwriting import find_hand
    from app.drawing.seen import with_seen

    service.check(query)
    renderer = service.renderer
    kind = negotiated_format(query.format, joined(request.headers, "accept"))
    memory = service.upload_memory
    with memory.share() as share:
        pictures = await uploaded_pictures(
            request, memory, share, service.settings.max_upload_bytes
        )
        hand = await service.read(
            request.receive, find_hand, renderer, pictures, query.label_index, query.shows == "line"
        )
        del pictures
    service.check(query)  # again: the model may have been replaced meanwhile
    seed = chosen_seed(query.seed)
    fields = {**query.model_dump(exclude={"label", "shows"}, by_alias=True), "style": hand.style}
    drawing = renderer.queries.generate.model_construct(**fields).in_format(kind)
    content = await service.draw(Order(drawing, seed), request.receive)
    if kind == "json":
        content = with_seen(content, hand, renderer)
    headers = {
        "X-Seed": str(seed),
        "X-Model": renderer.model_hash,
        "X-Style": hand.style,
        **_label(renderer.alphabet, hand),
        "Cache-Control": "no-store",
    }
    if hand.confidence is not None:
        headers["X-Label-Confidence"] = f"{hand.confidence:.4f}"
    if hand.warning is not None:
        headers["X-Warning"] = hand.warning
    return Response(content, media_type=MEDIA_TYPES[kind], headers=headers)


def _label(alphabet: Alphabet, hand: "Hand") -> dict[str, str]:
    """The header with what the pictures show, if the model knows labels; percent-encoded."""
    if not hand.labels:
        return {}
    text = "".join(alphabet.names[label] for label in hand.labels)
    return {"X-Label": quote(text, safe=" ")}
