"""The model card: the facts about the model of a renderer."""

import math
from typing import Any

from pydantic import BaseModel

from app.drawing.renderer import Renderer
from model.checkpoint import Provenance
from model.config import CVAEConfig


class ModelCard(BaseModel):
    """Architecture, origin, measured quality and hashes of the model that draws."""

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


def describe(renderer: Renderer) -> ModelCard:
    """The card of a renderer's model."""
    manifest = renderer.checkpoint.manifest
    shapes = manifest.architecture.weight_shapes().values()
    return ModelCard(
        model=renderer.model_hash,
        engine=renderer.engine,
        precision=renderer.precision,
        parameters=sum(math.prod(shape) for shape in shapes),
        architecture=manifest.architecture,
        label_names=list(manifest.label_names),
        value_range=manifest.value_range,
        provenance=manifest.provenance,
        metrics=renderer.checkpoint.metrics,
        sha256=manifest.sha256,
    )
