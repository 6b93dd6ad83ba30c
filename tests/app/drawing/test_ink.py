import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from app.drawing.canvas import Levels
from app.drawing.ink import coverage, surface
from tests.mnist import read_mnist

DIGITS = read_mnist(train=False)[0][:40]
SHEET = np.hstack(list(DIGITS[:12]))
EIGHT = next(d for d, label in zip(*read_mnist(train=False), strict=True) if label == 8)


def blurred(sheet: Levels, radius: float) -> Levels:
    """A sheet as a poor model draws it."""
    return np.asarray(Image.fromarray(sheet).filter(ImageFilter.GaussianBlur(radius)))


def holes(ink: Levels) -> int:
    """How many pieces of paper the ink encloses."""
    paper = Image.fromarray(np.where(np.pad(ink, 1) > 127, 0, 255).astype(np.uint8)).copy()
    found = -1  # the paper around the digit is none
    while (left := np.argwhere(np.asarray(paper) == 255)).size:
        ImageDraw.floodfill(paper, (int(left[0, 1]), int(left[0, 0])), 0)
        found += 1
    return found


@pytest.mark.parametrize("scale", [1, 3, 8])
def test_coverage_has_the_size_and_about_as_much_ink_as_the_digits(scale: int) -> None:
    ink = coverage(SHEET, scale)
    assert ink.shape == (28 * scale, SHEET.shape[1] * scale)
    assert ink.mean() == pytest.approx(SHEET.mean(), rel=0.1)


def test_coverage_is_one_curve_at_every_size() -> None:
    """A large drawing, made smaller, is the small drawing: measured 5 levels on average at 2."""
    large = coverage(SHEET, 8).reshape(28 * 2, 4, -1, 4).mean(axis=(1, 3))
    differences = abs(large - coverage(SHEET, 2))
    assert differences.mean() < 2
    assert differences.max() < 64


def test_coverage_has_crisp_edges_where_digits_are_crisp() -> None:
    ink = coverage(SHEET, 8)
    assert surface(SHEET, 1).softness is None
    assert ((ink > 0) & (ink < 255)).mean() < 0.05


def test_coverage_shows_a_blur_as_a_blur() -> None:
    """Of a blurred sheet at most a small part becomes full ink, and it stays where it is."""
    blur = blurred(SHEET, 3)
    ink = coverage(blur, 4)
    assert (ink == 255).mean() < 0.02
    assert ((ink > 0) & (ink < 255)).mean() > 0.2
    assert np.corrcoef(ink[2::4, 2::4].ravel(), blur.ravel())[0, 1] > 0.95


def test_coverage_shows_pale_ink_pale() -> None:
    ink = coverage((SHEET * 0.25).astype(np.uint8), 4)
    assert 20 < ink.max() < 128


@pytest.mark.parametrize("pen", [1.0, 1.5])
def test_coverage_of_paper_is_paper(pen: float) -> None:
    assert not coverage(np.zeros((28, 28), np.uint8), 3, pen).any()


def test_coverage_of_a_wide_sheet_is_that_of_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = coverage(SHEET, 4)
    monkeypatch.setattr("app.drawing.ink.PART", 28 * 4 * 4 * 30)
    assert np.array_equal(coverage(SHEET, 4), whole)


def test_coverage_of_a_digit_does_not_depend_on_those_beside_it() -> None:
    digits = np.pad(DIGITS[:3], ((0, 0), (0, 0), (4, 4)))
    alone, beside = coverage(digits[1], 4), coverage(np.hstack(list(digits)), 4)
    assert np.array_equal(beside[:, 36 * 4 : 72 * 4], alone)


def test_pen_scales_the_thickness_of_strokes() -> None:
    sheet = SHEET[:, : 4 * 28]
    usual = coverage(sheet, 4).sum()
    shares = [coverage(sheet, 4, pen).sum() / usual for pen in (0.2, 0.5, 0.99, 1.01, 1.5, 2)]
    assert shares == sorted(shares)
    assert 0.1 < shares[0] < 0.3
    assert 0.4 < shares[1] < 0.65
    assert shares[2] == pytest.approx(1, abs=0.1)
    assert shares[3] == pytest.approx(1, abs=0.1)
    assert 1.3 < shares[4] < 1.55
    assert 1.5 < shares[5] < 2


def test_pen_keeps_the_holes_of_an_eight_open() -> None:
    assert [holes(coverage(EIGHT, 8, pen)) for pen in (0.2, 0.5, 1, 1.5, 2)] == [2] * 5
