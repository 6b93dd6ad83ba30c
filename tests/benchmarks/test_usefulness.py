import numpy as np
import pytest

pytest.importorskip("torch")

from app.drawing.renderer import open_renderer
from benchmarks import usefulness
from benchmarks.usefulness import Digits, Reader, composed_numbers, drawn_numbers, errors, train
from model.checkpoint import PRETRAINED
from tests.mnist import read_mnist


def real_digits() -> Digits:
    images, labels = read_mnist(train=True)
    return Digits(images, labels.astype(np.intp))


def test_numbers_of_real_digits_have_the_layout_of_drawn_ones() -> None:
    renderer = open_renderer(PRETRAINED, "onnx", "int8")
    for batches in (
        drawn_numbers(renderer, 200, usefulness.TRAIN_SEED),
        composed_numbers(real_digits(), 200, usefulness.TRAIN_SEED),
    ):
        images = np.concatenate([images for images, _ in batches])
        assert images.shape == (200, 32, 128)
        assert 1000 < images.sum() / 255 / 200 * 10 < 4000  # 100 to 400 pixels of ink a number


def test_composed_number_shows_real_digits_of_its_labels() -> None:
    digits = real_digits()
    wanted = np.array([7, 0, 7, 3], dtype=np.uint8)
    pictures = digits.pictures(wanted, np.random.default_rng(0))
    for picture, label in zip(pictures, wanted.tolist(), strict=True):
        (found,) = {
            int(own)
            for image, own in zip(digits.images, digits.labels, strict=True)
            if np.array_equal(image, picture)
        }
        assert found == label


def test_reader_reads_what_it_has_learnt_by_heart() -> None:
    ((images, labels),) = composed_numbers(real_digits(), 8, seed=1)
    said: list[str] = []
    reader = train(iter([(images, labels)] * 120), usefulness.TRAIN_SEED, said.append)
    assert len(said) == 3
    assert errors(reader, iter([(images, labels)])) == {"numbers": 0, "digits": 0}
    assert errors(Reader().eval(), iter([(images, labels)]))["numbers"] == 1


@pytest.mark.parametrize(
    ("found", "text", "distance"),
    [("", "", 0), ("12", "12", 0), ("1", "12", 1), ("123", "13", 1), ("21", "12", 2), ("", "9", 1)],
)
def test_distance_is_the_fewest_edits(found: str, text: str, distance: int) -> None:
    assert usefulness._distance(found, text) == distance


def test_repeated_columns_are_one_digit_unless_a_blank_is_between() -> None:
    blank = usefulness.BLANK
    assert usefulness._collapsed([blank, 7, 7, blank, 7, 3, 3, blank]) == "773"


def test_digits_of_scikit_learn_have_the_size_of_mnist() -> None:
    pytest.importorskip("sklearn")
    digits = usefulness.small_digits()
    assert digits.images.shape == (1797, 28, 28)
    assert digits.images.max() > 200
    assert not digits.images[:, :4].any()
