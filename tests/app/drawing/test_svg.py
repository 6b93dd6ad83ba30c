import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from app.drawing.canvas import Levels
from app.drawing.ink import coverage
from app.drawing.outline import BANDS, contours
from app.drawing.palette import Palette
from app.drawing.svg import STEPS, encode_svg
from tests.mnist import read_mnist

SVG = "{http://www.w3.org/2000/svg}"
FINE = 24  # points per pixel in which outlines are compared
ALONG = np.linspace(0, 1, 5)[1:, None]  # along each curve
BYTES_PER_DIGIT = 1600  # measured on MNIST: 1.0 kB, at most 1.5
DIGITS = read_mnist(train=False)[0][:20]


def svg(sheet: Levels, palette: Palette) -> ElementTree.Element:
    return ElementTree.fromstring(encode_svg(sheet, "7", {}, palette, 1))


def outline(sheet: Levels) -> str:
    """The path of the ink."""
    return svg(sheet, Palette()).findall(f"{SVG}g/{SVG}path")[-1].attrib["d"]


def curves(path: str) -> list[np.ndarray]:
    """Points (N, 2) along each closed outline of a path of M, c, s and z: x and y in pixels."""
    outlines = []
    for piece in path.split("z")[:-1]:
        start, first, others = (
            [float(x) for x in re.findall("-?[0-9]+", part)] for part in re.split("[cs]", piece)
        )
        at, points = np.array(start), []
        numbers = np.array([*first, *others]).reshape(-1, 2)
        steer, rest = numbers[0], numbers[1:].reshape(-1, 2, 2)
        for second, end in rest:  # all relative to `at`
            points.append(at + bezier(steer, second, end))
            at, steer = at + end, end - second
        outlines.append(np.concatenate(points) / STEPS)
    return outlines


def bezier(first: np.ndarray, second: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Points along a cubic curve from 0."""
    rest = 1 - ALONG
    return np.asarray(3 * ALONG * rest**2 * first + 3 * ALONG**2 * rest * second + ALONG**3 * end)


def filled(path: str, height: int, width: int) -> np.ndarray:
    """A path as a mask (FINE * height, FINE * width), by the even-odd rule."""
    mask = Image.new("1", (width * FINE, height * FINE))
    for points in curves(path):
        shape = Image.new("1", mask.size)
        corners = [(x * FINE - 0.5, y * FINE - 0.5) for x, y in points.tolist()]
        ImageDraw.Draw(shape).polygon(corners, fill=1)
        mask = ImageChops.logical_xor(mask, shape)
    return np.asarray(mask)


def overlap(sheet: Levels) -> float:
    """Intersection over union of the outline and the ink of PNG files."""
    drawn = filled(outline(sheet), *sheet.shape)
    expected = coverage(sheet, FINE) > 127
    return float((drawn & expected).sum() / (drawn | expected).sum())


@pytest.mark.parametrize("scale", [1, 16])
def test_encode_svg_has_its_size_and_says_what_it_shows(scale: int) -> None:
    facts = {"digits": "20", "request": "digits=20&seed=7&paper=<b>\"'"}
    sheet = np.hstack(list(DIGITS[:2]))
    root = ElementTree.fromstring(encode_svg(sheet, "20", facts, Palette(), scale))
    assert root.tag == f"{SVG}svg"
    assert root.attrib == {
        "viewBox": f"0 0 {56 * STEPS} {28 * STEPS}",
        "width": str(56 * scale),
        "height": str(28 * scale),
        "role": "img",
        "aria-label": "20",
    }
    assert root.findtext(f"{SVG}title") == "20"
    assert root.findtext(f"{SVG}desc") == f"digits=20; request={facts['request']}"
    assert root.findall(f"{SVG}g/{SVG}path")[-1].attrib["d"] == outline(sheet)


@given(text=st.text(st.characters(min_codepoint=32, max_codepoint=0xD7FF), max_size=20))
def test_encode_svg_escapes_any_text(text: str) -> None:
    content = encode_svg(np.zeros((2, 2), dtype=np.uint8), text, {"a": text}, Palette(), 1)
    root = ElementTree.fromstring(content)
    assert (root.findtext(f"{SVG}title") or "") == root.attrib["aria-label"] == text
    assert root.findtext(f"{SVG}desc") == f"a={text}"
    assert len(list(root)) == 4


@pytest.mark.parametrize("paper", ["ffeedd", "transparent"])
def test_encode_svg_has_ink_on_paper_unless_that_is_transparent(paper: str) -> None:
    root = svg(DIGITS[0], Palette("1a2b3c", paper))
    papers, (ink,) = root.findall(f"{SVG}path"), root.findall(f"{SVG}g")
    assert (ink.attrib["fill"], ink.attrib["fill-rule"]) == ("#1a2b3c", "evenodd")
    box = f"M0 0h{28 * STEPS}v{28 * STEPS}H0z"
    expected = [] if paper == "transparent" else [{"fill": "#ffeedd", "d": box}]
    assert [path.attrib for path in papers] == expected


def test_encode_svg_outline_is_short_and_is_that_of_png_files() -> None:
    overlaps = [overlap(digit) for digit in DIGITS]
    assert min(overlaps) > 0.95  # measured: 0.96
    assert np.mean(overlaps) > 0.97
    assert overlap(np.hstack(list(DIGITS[:4]))) > 0.97
    assert max(len(outline(digit)) for digit in DIGITS) < BYTES_PER_DIGIT


def test_encode_svg_draws_a_blur_in_steps_of_ink() -> None:
    blur = np.asarray(Image.fromarray(DIGITS[0]).filter(ImageFilter.GaussianBlur(2)))
    paths = svg(blur, Palette()).findall(f"{SVG}g/{SVG}path")
    ink = np.zeros((28 * FINE, 28 * FINE))
    for path in paths:
        opacity = float(path.attrib.get("fill-opacity", 1))
        ink += (1 - ink) * opacity * filled(path.attrib["d"], 28, 28)
    assert len(paths) == BANDS
    assert abs(255 * ink - coverage(blur, FINE)).mean() < 10


def test_encode_svg_keeps_a_hole_open() -> None:
    ring = np.zeros((28, 28), dtype=np.uint8)
    ring[6:22, 6:22] = 255
    ring[11:17, 11:17] = 0
    drawn = filled(outline(ring), 28, 28)
    assert not drawn[14 * FINE, 14 * FINE]
    assert drawn[8 * FINE, 14 * FINE]
    assert drawn.sum() / FINE**2 == pytest.approx(16**2 - 6**2, rel=0.05)


def test_encode_svg_closes_ink_at_the_edge_and_stays_inside() -> None:
    path = outline(np.full((6, 9), 255, dtype=np.uint8))
    assert filled(path, 6, 9).mean() > 0.9
    points = np.concatenate(curves(path))
    assert points.min() >= -0.2  # the outline lies a little outside of the pixels
    assert (points.max(axis=0) <= [9.2, 6.2]).all()


def test_encode_svg_of_paper_has_no_outline() -> None:
    assert outline(np.zeros((28, 28), np.uint8)) == ""


def test_encode_svg_draws_crisp_digits_once_beside_a_blurred_one() -> None:
    blur = np.asarray(Image.fromarray(DIGITS[0]).filter(ImageFilter.GaussianBlur(2)))
    sheet = np.hstack([DIGITS[1], blur, DIGITS[2]])
    found = list(contours(sheet))
    assert [share for share, _ in found] == pytest.approx(np.arange(1, BANDS + 1) / BANDS)
    paler = np.concatenate([outlines.points for _, outlines in found[:-1]])
    assert ((paler[:, 0] > 28) & (paler[:, 0] < 56)).all()
    darkest = found[-1][1].points
    assert darkest[:, 0].min() < 28
    assert darkest[:, 0].max() > 56
