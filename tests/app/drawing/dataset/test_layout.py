import numpy as np
import pytest

from app.drawing.canvas import ink_boxes, stitch
from app.drawing.dataset.ink import ink_digits
from app.drawing.dataset.layout import resample
from app.drawing.dataset.section import Batch, Section
from app.drawing.dataset.stream import whole
from app.drawing.ink import coverage
from app.drawing.renderer import Renderer
from app.request.dataset_options import DatasetOptions
from app.request.ranges import Size
from tests.app.drawing.conftest import parsed


def batch_of(renderer: Renderer, options: str) -> tuple[Section, Batch]:
    section = whole(parsed(DatasetOptions, f"count=24&{options}"), seed=7)
    (batch,) = section.batches(renderer)
    return section, batch


def digits_of(renderer: Renderer, options: str) -> list[np.ndarray]:
    """The digits of each number, as the same data set draws them in cells."""
    _, batch = batch_of(renderer, options)
    return [picture.reshape(28, -1, 28).swapaxes(0, 1) for picture in batch.pictures()]


@pytest.mark.parametrize("spacing", ["cell", "tight"])
@pytest.mark.parametrize("gap", [-12, 0, 5])
@pytest.mark.parametrize("length", ["1", "3", "1-4"])
def test_numbers_are_set_as_a_line_of_generate(
    renderer: Renderer, spacing: str, gap: int, length: str
) -> None:
    cells = digits_of(renderer, f"length={length}")
    for scale in (1, 3):
        options = f"length={length}&spacing={spacing}&gap={gap}&scale={scale}"
        _, batch = batch_of(renderer, options)
        for digits, picture in zip(cells, batch.pictures(), strict=True):
            line = stitch(digits[None], spacing, gap)
            assert np.array_equal(picture, line.repeat(scale, axis=0).repeat(scale, axis=1))


def test_boxes_are_the_ink_of_each_digit(renderer: Renderer) -> None:
    options = "length=1-4&gap=0-9&scale=0.6-1.4&size=48x256&placement=random"
    _, batch = batch_of(renderer, f"{options}&boxes=on")
    assert batch.sheets.boxes is not None
    for image, boxes, length in zip(
        batch.sheets.images, batch.sheets.boxes, batch.labels.lengths, strict=True
    ):
        assert not boxes[length:].any()
        inside = np.zeros_like(image, dtype=bool)
        for left, top, right, bottom in boxes[:length].tolist():
            part = image[top:bottom, left:right]
            assert ink_boxes(part[None]).tolist() == [[0, 0, right - left, bottom - top]]
            inside[top:bottom, left:right] = True
        assert (image[~inside] < 64).all()


@pytest.mark.parametrize(("placement", "left"), [("left", 2), ("centre", 38)])
def test_number_is_placed_in_the_room_of_its_canvas(
    renderer: Renderer, placement: str, left: int
) -> None:
    (number,) = {picture.tobytes() for picture in [digits_of(renderer, "length=2")[0]]}
    _, batch = batch_of(renderer, f"length=2&size=40x132&margin=2&placement={placement}")
    image = batch.sheets.images[0]
    placed = image[6:34, left : left + 56]
    assert placed.reshape(28, 2, 28).swapaxes(0, 1).tobytes() == number
    assert image.sum() == placed.sum()


def test_random_placement_reaches_all_of_the_room(renderer: Renderer) -> None:
    section = whole(parsed(DatasetOptions, "count=2000&size=31x32&placement=random"), seed=7)
    corners = set()
    plain = whole(parsed(DatasetOptions, "count=2000"), seed=7)
    for batch, cells in zip(section.batches(renderer), plain.batches(renderer), strict=True):
        placed, alone = ink_boxes(batch.sheets.images), ink_boxes(cells.sheets.images)
        corners |= {tuple(corner) for corner in (placed - alone)[:, :2].tolist()}
    assert corners == {(x, y) for x in range(5) for y in range(4)}


def test_margin_is_paper_around_every_number(renderer: Renderer) -> None:
    plain, framed = (batch_of(renderer, f"length=1-3{more}")[1] for more in ("", "&margin=5"))
    for picture, inner in zip(framed.pictures(), plain.pictures(), strict=True):
        assert np.array_equal(picture[5:-5, 5:-5], inner)
        assert picture.sum() == inner.sum()


@pytest.mark.parametrize("side", [7, 20, 28, 33, 56])
def test_resampled_digit_keeps_its_ink_and_its_middle(renderer: Renderer, side: int) -> None:
    pictures = digits_of(renderer, "length=1")[0]
    resampled = resample(pictures, Size(side, side))
    assert resampled.shape == (1, side, side)
    scale = side / 28
    assert abs(resampled.sum() / scale**2 / pictures.sum() - 1) < 0.02
    box = np.array(ink_boxes(resampled)[0]) / scale
    assert abs(box - ink_boxes(pictures)[0]).max() <= max(1, 1 / scale)


def test_ranges_are_drawn_for_each_picture(renderer: Renderer) -> None:
    def sizes(options: str) -> np.ndarray:
        section = whole(parsed(DatasetOptions, f"count=500&length=2&{options}"), seed=7)
        return np.concatenate([batch.sheets.sizes for batch in section.batches(renderer)])

    heights = sizes("scale=0.5-2&temperature=0-1.5&variation=0-1")[:, 0]
    assert heights.min() in (14, 15)
    assert heights.max() in (55, 56)
    assert abs(heights.mean() - 35) < 2
    assert set(sizes("gap=-3-6")[:, 1].tolist()) == set(range(53, 63))


@pytest.mark.parametrize("pen", ["1", "0.6"])
def test_ink_is_that_of_generate_where_digits_do_not_touch(renderer: Renderer, pen: str) -> None:
    """At most a few points on the edge of a digit differ, by what its neighbours change."""
    cells = digits_of(renderer, "length=1-3")[:6]
    _, batch = batch_of(renderer, f"length=1-3&scale=3&render=ink&pen={pen}")
    for digits, picture in zip(cells, batch.pictures(), strict=False):
        line = coverage(stitch(digits[None]), 3, float(pen)).astype(int)
        assert (abs(line - picture) > 8).mean() < 0.001


def test_pen_is_drawn_for_each_picture(renderer: Renderer) -> None:
    plain, shaped = (
        batch_of(renderer, f"render=ink{pen}")[1].sheets.images.mean(axis=(1, 2))
        for pen in ("", "&pen=0.4-1.8")
    )
    shares = shaped / plain
    assert shares.min() < 0.8
    assert shares.max() > 1.3
    assert len(set(shares.tolist())) == len(shares)


def test_boxes_of_ink_are_those_of_its_digits(renderer: Renderer) -> None:
    _, batch = batch_of(renderer, "render=ink&scale=0.5-2&boxes=on&size=64x64")
    assert batch.sheets.boxes is not None
    assert (batch.sheets.boxes[:, 0] == ink_boxes(batch.sheets.images)).all()


@pytest.mark.parametrize("side", [7, 20, 28, 33, 56])
def test_ink_of_any_size_is_one_curve(renderer: Renderer, side: int) -> None:
    pictures = digits_of(renderer, "length=1")[0]
    inks = ink_digits(pictures, Size(side, side), np.ones(len(pictures)))
    assert inks.shape == (1, side, side)
    large = ink_digits(pictures, Size(side * 8, side * 8), np.ones(len(pictures)))
    averaged = large.reshape(side, 8, side, 8).mean(axis=(1, 3))
    assert abs(averaged - inks[0]).mean() < 3
    assert abs(inks.sum() / (side / 28) ** 2 / pictures.sum() - 1) < 0.2
