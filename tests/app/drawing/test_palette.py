import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.drawing.palette import Palette

HEX = st.integers(0, 2**24 - 1).map("{:06x}".format)
LEVELS = np.arange(256, dtype=np.uint8)[None]


def test_palette_is_grey_only_for_white_ink_on_black_paper() -> None:
    assert Palette().grey
    assert np.array_equal(Palette().paint(LEVELS), np.repeat(LEVELS[..., None], 3, axis=2))
    others = [("fffffe", "000000"), ("ffffff", "000001"), ("ffffff", "transparent")]
    assert not any(Palette(*colours).grey for colours in others)


@given(ink=HEX, paper=HEX)
def test_palette_goes_evenly_from_paper_to_ink(ink: str, paper: str) -> None:
    first, last = (list(bytes.fromhex(colour)) for colour in (paper, ink))
    colours = Palette(ink, paper).colours.astype(int)
    assert colours[[0, 255]].tolist() == [first, last]
    assert abs(colours - np.linspace(first, last, 256)).max() <= 0.5 + 1e-9
    assert abs(colours - Palette(paper, ink).colours[::-1]).max() <= 1  # halves round to even


@pytest.mark.parametrize("ink", ["ffffff", "010203"])
def test_palette_on_transparent_paper_is_ink_of_growing_opacity(ink: str) -> None:
    painted = Palette(ink, "transparent").paint(LEVELS)
    assert (painted.shape, painted.dtype.name) == ((1, 256, 4), "uint8")
    assert (painted[..., :3] == list(bytes.fromhex(ink))).all()
    assert np.array_equal(painted[..., 3], LEVELS)
