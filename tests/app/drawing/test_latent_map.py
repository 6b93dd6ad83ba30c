import numpy as np
import pytest

from app.drawing.latent_map import map_sheet, strongest_directions
from app.request.schemas import LatentMapQuery
from app.settings import Settings
from app.drawing.renderer import Studio, open_studio


@pytest.fixture(scope="module")
def studio() -> Studio:
    return open_studio(Settings())


@pytest.mark.parametrize("label", [0, 7])
def test_strongest_directions_are_unit_and_orthogonal(studio: Studio, label: int) -> None:
    first, second = strongest_directions(studio, label)
    assert np.linalg.norm(first) == pytest.approx(1, abs=1e-4)
    assert np.linalg.norm(second) == pytest.approx(1, abs=1e-4)
    assert first @ second == pytest.approx(0, abs=1e-4)
    assert first[abs(first).argmax()] > 0


def test_strongest_directions_change_the_picture_more_than_others(studio: Studio) -> None:
    def change(direction: np.ndarray) -> float:
        steps = np.stack([direction, -direction]).astype(np.float32) * 0.25
        one_hot = studio.generator.one_hot(np.array([7, 7]))
        plus, minus = studio.generator.engine.decode(steps, one_hot)
        return float(((plus - minus) ** 2).sum())

    first, second = strongest_directions(studio, 7)
    random = np.random.default_rng(0).normal(size=(50, studio.latent_size))
    others = [change(direction / np.linalg.norm(direction)) for direction in random]
    assert change(first) > change(second) * 0.9 > max(others) * 0.9


def test_map_sheet_size(studio: Studio) -> None:
    query = LatentMapQuery.parse(b"digit=3&cells=4&scale=2")
    assert map_sheet(studio, query).shape == (224, 224)
