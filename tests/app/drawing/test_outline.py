import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as arrays

from app.drawing.canvas import Levels
from app.drawing.outline import FINENESS, Outlines, contours

SHEETS = arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=12))
CELL = np.sqrt(2) / FINENESS  # pixels: the longest step of an outline between samples


def lines(outlines: Outlines) -> list[np.ndarray]:
    """The points (n, 2) of each outline."""
    return np.split(outlines.points, outlines.offsets[1:])[:-1]


@pytest.mark.parametrize("pen", [1.0, 2.0])
@given(sheet=SHEETS)
def test_contours_are_closed_for_any_sheet(pen: float, sheet: Levels) -> None:
    for _, outlines in contours(sheet, pen):
        for points in lines(outlines):
            assert (points[0] == points[-1]).all()
            assert np.hypot(*np.diff(points, axis=0).T).max() <= CELL + 1e-9


def test_contours_of_a_pale_stroke_are_those_of_its_paler_steps() -> None:
    sheet = np.zeros((28, 28), np.uint8)
    sheet[10:20, 14:16] = 100
    found = list(contours(sheet))
    assert [len(lines(outlines)) for _, outlines in found] == [1, 1, 0, 0, 0, 0]
    (pale,), (dark,) = lines(found[0][1]), lines(found[1][1])
    assert pale[:, 0].min() < dark[:, 0].min() < 15 < dark[:, 0].max() < pale[:, 0].max()
