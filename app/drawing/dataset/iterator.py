"""Numbers one after the other, drawn as they are asked for."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from app.drawing.dataset.section import Section, Writers
from app.drawing.renderer import Renderer, open_renderer
from app.request.dataset import MAX_NUMBERS, Description
from app.settings import read_settings

RUN = 512  # numbers that an iterator gives before it leaves as many to the others


def numbers(
    count: int = MAX_NUMBERS,
    *,
    seed: int = 0,
    worker: int = 0,
    workers: int = 1,
    renderer: Renderer | None = None,
    **options: object,
) -> Iterator[tuple[NDArray[np.uint8], str]]:
    """Pictures (H, W) uint8 with their texts, the same as in a data set of that seed.

    Args:
        count: pictures of the data set; the default does not end in practice.
        seed: of the data set.
        worker: which of several iterators this is, from 0; together they give each picture once.
        workers: number of these iterators.
        renderer: draws them; None opens the one of the settings.
        options: of `cvae-digits dataset`, such as length="1-8".
    Raises:
        InvalidRequest: an option breaks its limits.
        ValueError: `worker` is not one of `workers`.
    """
    if not 0 <= worker < workers:
        raise ValueError(f"worker must be from 0 to {workers - 1}, found {worker}.")
    if renderer is None:
        settings = read_settings()
        renderer = open_renderer(settings.checkpoint, settings.engine, settings.precision)
    values = {name: str(value) for name, value in options.items()}
    asked = renderer.queries.description
    description = asked.model_validate({"count": str(count), **values})
    description.check_model(renderer.model_hash)
    return _drawn(description, seed, range(worker * RUN, count, workers * RUN), renderer)


def _drawn(
    description: Description, seed: int, starts: range, renderer: Renderer
) -> Iterator[tuple[NDArray[np.uint8], str]]:
    writers = None if description.writers is None else Writers(0, description.writers, 0)
    for start in starts:
        end = min(start + RUN, description.count)
        section = Section(description, seed, start, end - start, writers=writers)
        for batch in section.batches(renderer):
            yield from zip(batch.pictures(), batch.labels.texts(), strict=True)
