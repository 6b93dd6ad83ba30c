"""`GET /model`: the model card as JSON."""

import math
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from app.api.caching import not_modified
from app.api.openapi import NOT_MODIFIED
from app.drawing.renderer import Studio
from model.checkpoint import Provenance
from model.config import CVAEConfig

router = APIRouter()


class ModelCard(BaseModel):
    """What is drawn with: the network, where it comes from, what it is worth."""

    model: str
    engine: str
    precision: str
    parameters: int
    architecture: CVAEConfig
    label_names: list[str]
    value_range: tuple[float, float]
    provenance: Provenance
    metrics: dict[str, Any]
    sha256: dict[str, str]


@router.get(
    "/model",
    operation_id="getModel",
    summary="What draws here",
    tags=["model"],
    response_model=ModelCard,
    responses={304: NOT_MODIFIED},
)
async def model_card(request: Request) -> Response:
    """Architecture, data, measured quality, hashes and versions of the model that draws."""
    studio: Studio = request.app.state.studio
    etag = f'"{studio.checkpoint.manifest.sha256["config.json"][:24]}"'
    headers = {"Cache-Control": "no-cache", "ETag": etag}  # another model may take over
    return not_modified(request, headers) or JSONResponse(
        describe(studio).model_dump(mode="json"), headers=headers
    )


def describe(studio: Studio) -> ModelCard:
    """The card of a studio's model."""
    manifest = studio.checkpoint.manifest
    shapes = manifest.architecture.weight_shapes().values()
    return ModelCard(
        model=studio.model_hash,
        engine=studio.engine,
        precision=studio.precision,
        parameters=sum(math.prod(shape) for shape in shapes),
        architecture=manifest.architecture,
        label_names=list(manifest.label_names),
        value_range=manifest.value_range,
        provenance=manifest.provenance,
        metrics=studio.checkpoint.metrics,
        sha256=manifest.sha256,
    )
