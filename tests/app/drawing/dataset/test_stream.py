import io
import tracemalloc

import numpy as np
import pytest

from app.drawing.dataset import section
from app.drawing.dataset.section import BATCH
from app.drawing.dataset.stream import dataset_pieces
from app.drawing.renderer import Renderer
from app.request.dataset import DatasetQuery
from tests.app.drawing.conftest import parsed


@pytest.mark.parametrize("kind", ["npz", "zip", "webdataset"])
def test_dataset_pieces_take_the_same_memory_for_any_count(renderer: Renderer, kind: str) -> None:
    peaks = []
    for count in (1000, 4000):
        query = parsed(DatasetQuery, f"count={count}&format={kind}")
        tracemalloc.start()
        sizes = [len(piece) for piece in dataset_pieces(renderer, query, seed=1)]
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert sum(sizes) > 500 * count
        assert len(sizes) >= count / BATCH
    assert peaks[1] < 1.2 * peaks[0] + 3000 * 1000  # a label's name or two for each picture


def test_large_pictures_take_little_memory(renderer: Renderer) -> None:
    query = parsed(DatasetQuery, "count=100&size=1000x1000&scale=1-16&length=2&placement=random")
    tracemalloc.start()
    sizes = [len(piece) for piece in dataset_pieces(renderer, query, seed=1)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(sizes) > 100 * 10**6
    assert peak < 60 * 10**6


@pytest.mark.parametrize("render", ["pixels", "ink", "ink&pen=0.5-1.5"])
def test_pictures_do_not_depend_on_the_batch(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch, render: str
) -> None:
    options = f"count=20&size=64x256&scale=0.5-2&length=1-4&variation=0-1&render={render}"
    query = parsed(DatasetQuery, options)
    together = b"".join(dataset_pieces(renderer, query, seed=1))
    monkeypatch.setattr(section, "BATCH_PIXELS", 2**17)
    assert b"".join(dataset_pieces(renderer, query, seed=1)) == together


def test_dataset_pieces_closed_half_way_leave_the_renderer_usable(renderer: Renderer) -> None:
    pieces = dataset_pieces(renderer, parsed(DatasetQuery, "count=1000"), seed=1)
    assert next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    complete = b"".join(dataset_pieces(renderer, parsed(DatasetQuery, "count=100"), seed=1))
    assert np.load(io.BytesIO(complete))["images"].shape == (100, 28, 28)
