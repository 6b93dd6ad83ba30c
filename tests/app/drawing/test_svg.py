import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw

from app.drawing.canvas import Levels
from app.drawing.palette import Palette
from app.drawing.svg import STEPS, encode_svg
from training.data import load_mnist

SVG = "{http://www.w3.org/2000/svg}"
FINE = 8  # picture points a pixel, of the drawing that an outline is compared by
ALONG = np.linspace(0, 1, 5)[1:, None]  # along each curve
BYTES_PER_DIGIT = 1200  # measured on MNIST: 0.7 kB, at most 1.0


@pytest.fixture(scope="module")
def digits(mnist_slice: Path) -> Levels:
    """(60, 28, 28) uint8, of MNIST's test images."""
    return np.asarray(load_mnist(mnist_slice, train=False).images[:60].numpy())


def svg(sheet: Levels, palette: Palette = Palette(), scale: int = 1) -> ElementTree.Element:  # noqa: B008 - frozen
    return ElementTree.fromstring(encode_svg(sheet, "7", {}, palette, scale))


def outline(sheet: Levels) -> str:
    """The path of the ink."""
    return svg(sheet).findall(f"{SVG}path")[-1].attrib["d"]


def curves(path: str) -> list[np.ndarray]:
    """Points (N, 2) in pixels, x and y, along each closed outline of a path of M, q and z."""
    outlines = []
    for piece in path.split("z")[:-1]:
        start, moves = (
            [float(x) for x in re.findall("-?[0-9]+", part)] for part in piece.split("q")
        )
        at, points = np.array(start), []
        for steer, end in np.array(moves).reshape(-1, 2, 2):  # both as seen from `at`
            points.append(at + 2 * ALONG * (1 - ALONG) * steer + ALONG**2 * end)
            at = at + end
        outlines.append(np.concatenate(points) / STEPS)
    return outlines


def filled(path: str, height: int, width: int) -> np.ndarray:
    """A path as a mask (FINE * height, FINE * width), by the even-odd rule."""
    mask = Image.new("1", (width * FINE, height * FINE))
    for points in curves(path):
        shape = Image.new("1", mask.size)
        corners = [(x * FINE - 0.5, y * FINE - 0.5) for x, y in points.tolist()]
        ImageDraw.Draw(shape).polygon(corners, fill=1)
        mask = ImageChops.logical_xor(mask, shape)
    return np.asarray(mask)


def half_ink(sheet: Levels) -> np.ndarray:
    """Where the sheet, smoothly enlarged, is more ink than paper."""
    size = sheet.shape[1] * FINE, sheet.shape[0] * FINE
    return np.asarray(Image.fromarray(sheet).resize(size, Image.Resampling.BILINEAR)) > 127


def test_encode_svg_asks_for_its_size_and_names_what_it_shows() -> None:
    facts = {"digits": "20", "request": "digits=20&seed=7&paper=<b>\"'"}
    content = encode_svg(np.zeros((28, 56), dtype=np.uint8), "20", facts, Palette(), 3)
    root = ElementTree.fromstring(content)
    assert root.tag == f"{SVG}svg"
    assert root.attrib == {
        "viewBox": f"0 0 {56 * STEPS} {28 * STEPS}",
        "width": "168",
        "height": "84",
        "role": "img",
        "aria-label": "20",
    }
    assert root.findtext(f"{SVG}title") == "20"
    assert root.findtext(f"{SVG}desc") == f"digits=20; request={facts['request']}"


@given(text=st.text(st.characters(min_codepoint=32, max_codepoint=0xD7FF), max_size=20))
def test_encode_svg_any_text_is_escaped(text: str) -> None:
    content = encode_svg(np.zeros((2, 2), dtype=np.uint8), text, {"a": text}, Palette(), 1)
    root = ElementTree.fromstring(content)
    assert (root.findtext(f"{SVG}title") or "") == root.attrib["aria-label"] == text
    assert root.findtext(f"{SVG}desc") == f"a={text}"
    assert len(list(root)) == 4


def test_encode_svg_colours_are_those_of_the_palette(digits: Levels) -> None:
    paper, ink = svg(digits[0], Palette("1a2b3c", "ffeedd")).findall(f"{SVG}path")
    assert (paper.attrib["fill"], paper.attrib["d"]) == (
        "#ffeedd",
        f"M0 0h{28 * STEPS}v{28 * STEPS}H0z",
    )
    assert (ink.attrib["fill"], ink.attrib["fill-rule"]) == ("#1a2b3c", "evenodd")


def test_encode_svg_transparent_has_no_paper(digits: Levels) -> None:
    (ink,) = svg(digits[0], Palette("1a2b3c", "transparent")).findall(f"{SVG}path")
    assert ink.attrib["fill"] == "#1a2b3c"


@pytest.mark.parametrize("level", [0, 127])
@pytest.mark.parametrize("shape", [(1, 1), (28, 28), (56, 84)])
def test_encode_svg_without_ink_has_an_empty_outline(shape: tuple[int, int], level: int) -> None:
    assert outline(np.full(shape, level, dtype=np.uint8)) == ""


def test_encode_svg_outline_is_the_half_ink_of_real_digits(digits: Levels) -> None:
    overlaps = []
    for sheet in digits:
        drawn, expected = filled(outline(sheet), 28, 28), half_ink(sheet)
        overlaps.append((drawn & expected).sum() / (drawn | expected).sum())
    assert min(overlaps) > 0.8  # measured: 0.84; the curve rounds off the thinnest strokes
    assert np.mean(overlaps) > 0.9


def test_encode_svg_sheet_has_each_digit_in_its_place(digits: Levels) -> None:
    sheet = np.hstack(list(digits[:4]))
    drawn, expected = filled(outline(sheet), 28, 112), half_ink(sheet)
    assert (drawn & expected).sum() / (drawn | expected).sum() > 0.9


def test_encode_svg_hole_stays_open() -> None:
    ring = np.zeros((28, 28), dtype=np.uint8)
    ring[6:22, 6:22] = 255
    ring[11:17, 11:17] = 0
    drawn = filled(outline(ring), 28, 28)
    assert not drawn[14 * FINE, 14 * FINE]
    assert drawn[8 * FINE, 14 * FINE]
    assert drawn.sum() / FINE**2 == pytest.approx(16**2 - 6**2, rel=0.05)


def test_encode_svg_ink_at_the_edge_is_closed_and_inside() -> None:
    drawn = filled(outline(np.full((6, 9), 255, dtype=np.uint8)), 6, 9)
    assert drawn.mean() > 0.9
    points = np.concatenate(curves(outline(np.full((6, 9), 255, dtype=np.uint8))))
    assert points.min() >= -0.1  # half ink towards the paper outside lies on the edge
    assert (points.max(axis=0) <= [9.1, 6.1]).all()


@pytest.mark.parametrize(("level", "shown"), [(127, False), (255, True)])
def test_encode_svg_single_pixel_is_drawn_from_half_ink(level: int, shown: bool) -> None:
    sheet = np.zeros((5, 5), dtype=np.uint8)
    sheet[2, 3] = level
    drawn = filled(outline(sheet), 5, 5)
    assert drawn[2 * FINE + FINE // 2, 3 * FINE + FINE // 2] == shown


def test_encode_svg_is_light(digits: Levels) -> None:
    assert max(len(outline(sheet)) for sheet in digits) < BYTES_PER_DIGIT
    assert len(outline(np.hstack(list(digits)))) < 800 * len(digits)


def test_encode_svg_scale_changes_only_the_size_asked_for(digits: Levels) -> None:
    small, large = (svg(digits[0], scale=scale) for scale in (1, 16))
    assert (small.attrib["width"], large.attrib["width"]) == ("28", "448")
    assert small.attrib["viewBox"] == large.attrib["viewBox"]
    assert [part.attrib for part in small] == [part.attrib for part in large]
