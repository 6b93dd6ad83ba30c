import numpy as np

from model.reading.cutout import BOX, CELL
from training.photos.hands import FORMS, drawn_digits
from training.photos.pen import cropped


def test_drawn_digits_have_the_form_of_mnist() -> None:
    digits, labels = drawn_digits(200, np.random.default_rng(0))
    assert digits.shape == (200, CELL, CELL)
    assert (np.bincount(labels) == 20).all()
    for digit in digits:
        assert digit.max() == 255
        assert max(cropped(digit).shape) == BOX
        assert 10 < (digit > 127).sum() < 250


def test_drawn_digits_are_the_same_for_a_seed_and_differ_from_each_other() -> None:
    first, again, other = (drawn_digits(60, np.random.default_rng(s))[0] for s in (0, 0, 1))
    assert (first == again).all()
    assert len(np.unique(np.concatenate([first, other]), axis=0)) == 120


def test_forms_of_one_digit_are_told_from_those_of_the_others() -> None:
    """A form that was listed under the wrong digit would be nearer to the others of its own."""
    digits, labels = drawn_digits(1000, np.random.default_rng(2))
    rows = digits.reshape(1000, -1).astype(np.float64)
    apart = (rows**2).sum(1)[:, None] + (rows**2).sum(1) - 2 * rows @ rows.T
    np.fill_diagonal(apart, np.inf)
    assert (labels[apart.argmin(1)] == labels).mean() > 0.95
    assert len(FORMS) == 10
