import io
import tracemalloc

import numpy as np
import pytest

from app.drawing.dataset import dataset_labels, dataset_pieces
from app.request.schemas import DatasetQuery
from app.settings import Settings
from app.drawing.renderer import Studio, open_studio


@pytest.fixture(scope="module")
def studio() -> Studio:
    return open_studio(Settings())


def test_dataset_labels_are_even_and_by_seed() -> None:
    query = DatasetQuery.parse(b"count=20000&length=2")
    labels = dataset_labels(query, seed=1)
    assert labels == dataset_labels(query, seed=1)
    assert labels != dataset_labels(query, seed=2)
    digits = np.bincount([int(digit) for label in labels for digit in label], minlength=10)
    assert abs(digits / 40000 - 0.1).max() < 0.01  # seven standard deviations


def test_dataset_labels_begin_the_same_whatever_the_count() -> None:
    few, many = (DatasetQuery.parse(f"count={n}&length=3".encode()) for n in (10, 1000))
    assert dataset_labels(many, seed=1)[:10] == dataset_labels(few, seed=1)


@pytest.mark.parametrize("name", ["npz", "zip"])
def test_dataset_pieces_take_the_same_memory_for_any_count(studio: Studio, name: str) -> None:
    peaks = []
    for count in (1000, 4000):
        query = DatasetQuery.parse(f"count={count}&format={name}".encode())
        tracemalloc.start()
        size = sum(len(piece) for piece in dataset_pieces(studio, query, seed=1))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert size > 500 * count
    assert peaks[1] < 1.2 * peaks[0] + 3000 * 1000  # a label's name or two for each picture


def test_dataset_pieces_abandoned_half_way_do_no_harm(studio: Studio) -> None:
    pieces = dataset_pieces(studio, DatasetQuery.parse(b"count=1000"), seed=1)
    assert next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    whole = b"".join(dataset_pieces(studio, DatasetQuery.parse(b"count=100"), seed=1))
    assert np.load(io.BytesIO(whole))["images"].shape == (100, 28, 28)
