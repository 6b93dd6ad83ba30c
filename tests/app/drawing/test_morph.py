import numpy as np
import pytest

from app.drawing.morph import morph_sheets
from app.request.schemas import MorphQuery
from app.settings import Settings
from app.drawing.renderer import Studio, open_studio


@pytest.fixture(scope="module")
def studio() -> Studio:
    return open_studio(Settings())


def sheets(studio: Studio, query: str) -> list[np.ndarray]:
    return [
        sheet.astype(int) for sheet in morph_sheets(studio, MorphQuery.parse(query.encode()), 7)
    ]


def test_morph_sheets_size(studio: Studio) -> None:
    drawn = sheets(studio, "from=12&to=34&frames=5&scale=3&gap=2")
    assert [sheet.shape for sheet in drawn] == [(84, 174)] * 5


def test_morph_sheets_each_digit_goes_its_own_way(studio: Studio) -> None:
    drawn = sheets(studio, "from=11&to=18&frames=4&walk=0&scale=1")
    assert abs(drawn[0][:, :28] - drawn[2][:, :28]).max() <= 1  # a 1 stays a 1
    assert abs(drawn[0][:, 28:] - drawn[2][:, 28:]).max() > 100


def test_morph_sheets_temperature_0_has_no_hand(studio: Studio) -> None:
    drawn = sheets(studio, "from=55&to=55&frames=3&temperature=0&walk=1&scale=1")
    assert all(np.array_equal(drawn[0], sheet) for sheet in drawn)
    assert abs(drawn[0][:, :28] - drawn[0][:, 28:]).max() <= 1
