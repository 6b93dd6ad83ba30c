import re
from itertools import chain, islice

import numpy as np
import pytest

from app.drawing.dataset.iterator import numbers
from app.drawing.dataset.stream import whole
from app.drawing.renderer import Renderer
from app.request.dataset import DatasetQuery
from app.request.error import InvalidRequest
from tests.app.drawing.conftest import parsed
from tests.conftest import ROOT


def test_numbers_are_those_of_a_data_set(renderer: Renderer) -> None:
    found = list(numbers(300, seed=7, renderer=renderer, length="1-3", gap=2, writers=5))
    section = whole(parsed(DatasetQuery, "count=300&length=1-3&gap=2&writers=5"), seed=7)
    batches = list(section.batches(renderer))
    assert [text for _, text in found] == section.labels.texts()
    pictures = [picture for batch in batches for picture in batch.pictures()]
    for (image, _), picture in zip(found, pictures, strict=True):
        assert np.array_equal(image, picture)


def test_numbers_do_not_end_and_need_no_memory(renderer: Renderer) -> None:
    first = list(islice(numbers(seed=7, renderer=renderer), 200))
    assert [image.shape for image, _ in first] == [(28, 28)] * 200


def test_several_iterators_give_each_number_once(renderer: Renderer) -> None:
    every = [text for _, text in numbers(1700, seed=7, renderer=renderer, length=8)]
    parts = [
        [
            text
            for _, text in numbers(1700, seed=7, worker=w, workers=3, renderer=renderer, length=8)
        ]
        for w in range(3)
    ]
    assert sorted(chain(*parts)) == sorted(every)
    assert all(len(part) > 100 for part in parts)


def test_numbers_with_a_wrong_option_are_refused(renderer: Renderer) -> None:
    with pytest.raises(InvalidRequest, match="length must be an integer from 1 to 8"):
        numbers(5, renderer=renderer, length=9)
    with pytest.raises(ValueError, match="worker must be from 0 to 1, found 2"):
        numbers(5, worker=2, workers=2, renderer=renderer)
    with pytest.raises(InvalidRequest, match="model is not the model that draws here"):
        numbers(5, renderer=renderer, model="0123456789abcdef")


def test_documented_torch_data_set_works() -> None:
    torch = pytest.importorskip("torch")
    document = (ROOT / "docs" / "datasets.md").read_text()
    (code,) = [
        code for code in re.findall(r"```python\n(.*?)```", document, re.DOTALL) if "Loader" in code
    ]
    names: dict[str, object] = {}
    exec(code, names)
    images, texts = names["images"], names["texts"]
    assert isinstance(images, torch.Tensor)
    assert images.shape == (64, 1, 32, 128)
    assert isinstance(texts, list | tuple)
    assert all(1 <= len(text) <= 4 for text in texts)
