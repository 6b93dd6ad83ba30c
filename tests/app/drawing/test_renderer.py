import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.errors import InvalidRequest
from app.request.schemas import Drawing
from app.settings import Settings
from app.drawing.renderer import Studio, is_light, labels_of, open_studio
from model.noise import MAX_SEED, hand, line_noise


@pytest.fixture(scope="module")
def studio() -> Studio:
    return open_studio(Settings())


def test_labels_of_keeps_leading_zeros() -> None:
    assert labels_of("0072").tolist() == [0, 0, 7, 2]


def test_line_noise_goes_from_the_hand_to_the_positions(studio: Studio) -> None:
    size = studio.latent_size
    own = line_noise(7, 2, 3, size)
    assert np.array_equal(studio.line_noise(7, 2, 3, 1), own)
    assert np.array_equal(studio.line_noise(7, 2, 3, 0), np.tile(hand(7, 2, size), (3, 1)))
    style = np.ones(size, np.float32)
    assert np.array_equal(studio.line_noise(7, 2, 3, 0, style), np.ones((3, size)))
    between = studio.line_noise(7, 2, 3, 0.5)
    expected = (hand(7, 2, size) + own) / np.sqrt(2)  # half way on the sphere
    np.testing.assert_allclose(between, expected, rtol=1e-5, atol=1e-6)


def test_style_given_is_the_hand_unless_variation_says_otherwise(studio: Studio) -> None:
    rows = np.zeros((1, 28, 28), np.float32)
    style = studio.style_of([rows[0]], [3])
    order = Drawing.parse(f"digits=55&style={style}".encode())
    drawn = studio.pictures(order, seed=1)
    assert np.array_equal(drawn[0, 0], drawn[0, 1])
    varied = studio.pictures(Drawing.parse(f"digits=55&style={style}&variation=1".encode()), 1)
    assert not np.array_equal(varied[0, 0], varied[0, 1])


def test_style_of_several_is_the_mean_of_their_noise(studio: Studio) -> None:
    pictures = [np.random.default_rng(n).random((28, 28), dtype=np.float32) for n in range(2)]
    noises = [studio.style_noise(studio.style_of([picture], [4])) for picture in pictures]
    both = studio.style_noise(studio.style_of(pictures, [4, 4]))
    assert both is not None
    expected = np.mean([noise for noise in noises if noise is not None], axis=0)
    assert abs(both - expected).max() <= 1 / 32


@given(st.lists(st.tuples(st.text("0123456789", min_size=1), st.integers(0, MAX_SEED)), min_size=1))
def test_lines_drawn_together_are_those_drawn_alone(
    studio: Studio, orders: list[tuple[str, int]]
) -> None:
    alone = [
        studio.render(Drawing.parse(f"digits={digits}".encode()), seed) for digits, seed in orders
    ]
    assert studio.lines(orders) == alone


def test_style_noise_of_nothing_ours_raises(studio: Studio) -> None:
    with pytest.raises(InvalidRequest, match="style"):
        studio.style_noise("nonsense")


@pytest.mark.parametrize(
    ("query", "light"),
    [
        ("digits=2018", True),
        ("digits=" + "1" * 64, True),
        ("digits=" + "1" * 33 + "&rows=2", False),
        ("digits=2018&scale=16", False),
        ("digits=2018&format=json", True),
        ("digits=" + "1" * 64 + "&format=json&rows=2", False),
        ("digits=2018&format=webp", False),
        ("digits=2018&format=svg", False),
    ],
)
def test_is_light_is_what_takes_no_thread(query: str, light: bool) -> None:
    assert is_light(Drawing.parse(query.encode())) == light
