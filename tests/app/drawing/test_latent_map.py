import io

import numpy as np
import pytest
from PIL import Image

from app.drawing.latent_map import render_map, strongest_directions
from app.drawing.renderer import Renderer
from app.request.schemas import LatentMapQuery
from tests.app.drawing.conftest import parsed


@pytest.mark.parametrize("label", [0, 7])
def test_strongest_directions_are_unit_and_orthogonal(renderer: Renderer, label: int) -> None:
    first, second = strongest_directions(renderer, label)
    products = np.array([first @ first, second @ second, first @ second])
    assert products == pytest.approx([1, 1, 0], abs=1e-4)
    assert first[abs(first).argmax()] > 0


def test_strongest_directions_change_the_picture_more_than_others(renderer: Renderer) -> None:
    def change(direction: np.ndarray) -> float:
        steps = np.stack([direction, -direction]).astype(np.float32) * 0.25
        plus, minus = renderer.generator.engine.decode(steps, renderer.one_hot("77"))
        return float(((plus - minus) ** 2).sum())

    first, second = strongest_directions(renderer, 7)
    random = np.random.default_rng(0).normal(size=(50, renderer.latent_size))
    random -= np.outer(random @ first, first)  # what the first direction does not do already
    others = [change(direction / np.linalg.norm(direction)) for direction in random]
    assert change(first) > change(second) > max(others)


@pytest.mark.parametrize("kind", ["png", "webp"])
def test_render_map_is_a_square_of_enlarged_cells(renderer: Renderer, kind: str) -> None:
    query = parsed(LatentMapQuery, f"digit=3&cells=4&scale=2&format={kind}")
    assert Image.open(io.BytesIO(render_map(renderer, query))).size == (224, 224)


@pytest.mark.parametrize("digit", [0, 7])
def test_map_as_svg_is_called_by_its_digit(renderer: Renderer, digit: int) -> None:
    query = parsed(LatentMapQuery, f"digit={digit}&cells=2&format=svg")
    assert f"<title>{digit}</title>" in render_map(renderer, query).decode()
