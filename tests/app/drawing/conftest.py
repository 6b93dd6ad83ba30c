from typing import TypeVar
from urllib.parse import parse_qsl

import pytest

from app.drawing.renderer import Renderer, open_renderer
from app.request.query import Query
from model.checkpoint import PRETRAINED

AnyQuery = TypeVar("AnyQuery", bound=Query)


@pytest.fixture(scope="session")
def renderer() -> Renderer:
    """Draws with the checkpoint that ships."""
    return open_renderer(PRETRAINED, "onnx", "int8")


def parsed(model: type[AnyQuery], query: str) -> AnyQuery:
    """The query of a query string."""
    return model.model_validate(dict(parse_qsl(query)))
