import io
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.drawing.dataset.stream import dataset_pieces
from app.drawing.latent_map import render_map
from app.drawing.morph import render_morph
from app.drawing.renderer import Order, Renderer, is_light, open_renderer
from app.drawing.style import encode_style
from app.request.dataset import DatasetQuery
from app.request.error import InvalidRequest
from app.request.morph import MorphQuery
from app.request.schemas import Drawing, LatentMapQuery
from app.telemetry.counters import DIGITS, STAGE, STAGES, Counters
from model.checkpoint import PRETRAINED
from model.noise import MAX_SEED, hand, line_noise
from tests.app.drawing.conftest import parsed

LOOKS = ("", "rows=3", "variation=0", "variation=0.3&rows=2", "temperature=0.5", "scale=2&gap=-3")
ORDERS = st.builds(
    lambda digits, look, kind, seed: Order(
        parsed(Drawing, f"digits={digits}&{look}&format={kind}"), seed
    ),
    st.text("0123456789", min_size=1, max_size=64),
    st.sampled_from(LOOKS),
    st.sampled_from(["png", "npy", "json", "svg", "webp"]),
    st.integers(0, MAX_SEED),
)


def levels(renderer: Renderer, query: str, seed: int = 1) -> np.ndarray:
    """The sheet (H, W) of a drawing as signed integers."""
    order = Order(parsed(Drawing, f"{query}&format=npy"), seed)
    return np.asarray(np.load(io.BytesIO(renderer.render([order])[0]))).astype(int)


@given(orders=st.lists(ORDERS, min_size=1, max_size=6))
def test_render_draws_orders_together_as_it_draws_each_alone(
    renderer: Renderer, orders: list[Order]
) -> None:
    assert renderer.render(orders) == [renderer.render([order])[0] for order in orders]


def test_one_hot_keeps_leading_zeros(renderer: Renderer) -> None:
    assert renderer.one_hot(["007", "2"]).argmax(axis=1).tolist() == [0, 0, 7, 2]


def test_line_noise_goes_from_the_hand_of_each_line_to_its_own_noise(renderer: Renderer) -> None:
    size, lines = renderer.latent_size, [(7, 2, 3), (7, 5, 1)]

    def drawn(query: str) -> np.ndarray:
        return renderer.line_noise(lines, parsed(MorphQuery, f"from=1&to=2&{query}"))

    own = np.concatenate([line_noise(7, 2, 3, size), line_noise(7, 5, 1, size)])
    hands = np.stack([hand(7, row, size) for row in (2, 2, 2, 5)])
    assert np.array_equal(drawn("variation=1"), own)
    assert np.array_equal(drawn("variation=0"), hands)
    half_way = (hands + own) / np.sqrt(2)  # on the sphere
    np.testing.assert_allclose(drawn("variation=0.5"), half_way, rtol=1e-5, atol=1e-6)
    style = encode_style(np.ones(size, np.float32), renderer.model_hash)
    assert np.array_equal(drawn(f"style={style}"), np.ones((4, size)))


def test_render_style_is_the_hand_of_all_digits_unless_they_vary(renderer: Renderer) -> None:
    style = encode_style(line_noise(3, 0, 1, renderer.latent_size)[0], renderer.model_hash)
    first, second = np.hsplit(levels(renderer, f"digits=55&style={style}"), 2)
    assert np.array_equal(first, second)
    first, second = np.hsplit(levels(renderer, f"digits=55&style={style}&variation=1"), 2)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("look", ["", "&variation=1", "&variation=0"])
def test_render_style_of_another_model_raises(renderer: Renderer, look: str) -> None:
    with pytest.raises(InvalidRequest, match="style belongs to a different model"):
        levels(renderer, f"digits=1&style=AAAAAAAA{look}")


@pytest.mark.parametrize(
    ("draw", "count"),
    [
        (lambda r: r.render([Order(parsed(Drawing, "digits=12&rows=3"), 1)] * 2), 12),
        (lambda r: render_morph(r, parsed(MorphQuery, "from=12&to=34&frames=5"), 1), 10),
        (lambda r: render_map(r, parsed(LatentMapQuery, "digit=1&cells=4")), 16),
        (lambda r: list(dataset_pieces(r, parsed(DatasetQuery, "count=200&length=2"), 1)), 400),
    ],
    ids=["drawing", "morph", "map", "dataset"],
)
def test_every_drawing_counts_its_digits_and_stages(
    renderer: Renderer, draw: Callable[[Renderer], object], count: int
) -> None:
    counting = replace(renderer, counters=Counters())
    draw(counting)
    (reading,) = counting.counters.readings()
    assert reading.cells[DIGITS] == count
    assert (reading.cells[STAGE : STAGE + len(STAGES)] > 0).all()


def test_open_renderer_names_what_draws_and_counts_no_digit() -> None:
    counters = Counters()
    renderer = open_renderer(PRETRAINED, "onnx", "float", counters)
    (reading,) = counters.readings()
    assert renderer.identity == (renderer.model_hash, "onnx", "float")
    assert reading.cells[DIGITS] == 0


@pytest.mark.parametrize(
    ("query", "light"),
    [
        ("digits=2018", True),
        ("digits=" + "1" * 64, True),
        ("digits=" + "1" * 33 + "&rows=2", False),
        ("digits=2018&scale=16", False),
        ("digits=2018&format=json", True),
        ("digits=" + "1" * 64 + "&format=json&rows=2", False),
        ("digits=2018&format=webp", True),
        ("digits=2018&format=webp&scale=2", False),
        ("digits=2018&format=svg", True),
        ("digits=2018&format=svg&scale=16", True),
        ("digits=20180&format=svg", False),
        ("digits=2018&format=svg&render=ink&pen=0.5", False),
        ("digits=2018&render=ink", True),
        ("digits=2018&render=ink&scale=3", False),
        ("digits=2018&render=ink&pen=0.5", False),
        ("text=3.14", True),
        ("text=1" + ":" * 63 + "&rows=2", False),  # marks take as long as digits
        ("text=1" + ":" * 63 + "&scale=4", False),
        ("digits=2018&gap=28&scale=5", True),
        ("digits=" + "1" * 64 + "&gap=28&scale=2", False),
    ],
)
def test_is_light_only_for_drawings_faster_than_a_thread(query: str, light: bool) -> None:
    assert is_light(parsed(Drawing, query)) == light
