import io

import numpy as np
from PIL import Image, ImageSequence

from app.drawing.morph import render_morph
from app.drawing.renderer import Renderer
from app.request.morph import MorphQuery
from tests.app.drawing.conftest import parsed


def frames(renderer: Renderer, query: str) -> list[np.ndarray]:
    """The grey levels (H, W) of each frame, as signed integers."""
    content = render_morph(renderer, parsed(MorphQuery, query), seed=7)
    sequence = ImageSequence.Iterator(Image.open(io.BytesIO(content)))
    return [np.asarray(frame.convert("L")).astype(int) for frame in sequence]


def test_render_morph_has_as_many_frames_and_pixels_as_asked_for(renderer: Renderer) -> None:
    drawn = frames(renderer, "from=12&to=34&frames=4&scale=3&gap=2")
    assert [frame.shape for frame in drawn] == [(84, 174)] * 4


def test_render_morph_changes_only_the_digits_that_differ(renderer: Renderer) -> None:
    start, _, middle, _ = frames(renderer, "from=11&to=18&frames=4&walk=0&scale=1")
    assert abs(start - middle)[:, :28].max() <= 1
    assert abs(start - middle)[:, 28:].max() > 100


def test_render_morph_at_temperature_0_has_no_hand(renderer: Renderer) -> None:
    drawn = frames(renderer, "from=55&to=55&frames=3&temperature=0&walk=1&scale=1")
    assert len(drawn) == 1  # WebP merges equal frames
    assert abs(drawn[0][:, :28] - drawn[0][:, 28:]).max() <= 1
