import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.drawing.palette import Palette

HEX = st.integers(0, 2**24 - 1).map("{:06x}".format)
LEVELS = np.arange(256, dtype=np.uint8)[None]


def rgb(hex_digits: str) -> list[int]:
    return list(bytes.fromhex(hex_digits))


def test_palette_default_is_the_grey_levels_themselves() -> None:
    assert Palette().grey
    assert np.array_equal(Palette().colours(), np.repeat(LEVELS.T, 3, axis=1))
    assert Palette().opacities() is None


@pytest.mark.parametrize(
    "palette",
    [Palette(ink="fffffe"), Palette(paper="000001"), Palette(paper="transparent")],
)
def test_palette_other_is_not_grey(palette: Palette) -> None:
    assert not palette.grey


@given(ink=HEX, paper=HEX)
def test_palette_goes_evenly_from_paper_to_ink(ink: str, paper: str) -> None:
    colours = Palette(ink, paper).colours().astype(int)
    assert colours.shape == (256, 3)
    assert (colours[0].tolist(), colours[255].tolist()) == (rgb(paper), rgb(ink))
    exact = np.linspace(rgb(paper), rgb(ink), 256)
    assert abs(colours - exact).max() <= 0.5 + 1e-9
    assert np.array_equal(colours, Palette(paper, ink).colours()[::-1].astype(int)) or (
        abs(colours - Palette(paper, ink).colours()[::-1]).max() <= 1  # halves round to even
    )


@given(ink=HEX)
def test_palette_transparent_is_ink_throughout_and_only_its_opacity_grows(ink: str) -> None:
    palette = Palette(ink, "transparent")
    opacities = palette.opacities()
    assert palette.transparent
    assert opacities is not None
    assert opacities.tolist() == list(range(256))
    assert (palette.colours() == rgb(ink)).all()


def test_paint_opaque_has_three_channels() -> None:
    painted = Palette("ff0000", "0000ff").paint(LEVELS)
    assert painted.shape == (1, 256, 3)
    assert painted.dtype == np.uint8
    assert painted[0, 0].tolist() == [0, 0, 255]
    assert painted[0, 255].tolist() == [255, 0, 0]


def test_paint_transparent_has_four_channels() -> None:
    painted = Palette("010203", "transparent").paint(LEVELS)
    assert painted.shape == (1, 256, 4)
    assert painted[0, 7].tolist() == [1, 2, 3, 7]
