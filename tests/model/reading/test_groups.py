import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from model.reading.groups import Group, find_groups, grown

WIDE = -9, -9, 309, 309  # a picture whose border is far away
EXACT = 0, 0, 40, 40


def plane(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    """(40, 40) with full ink in boxes of rows and columns."""
    ink = np.zeros((40, 40), np.float32)
    for top, bottom, left, right in boxes:
        ink[top:bottom, left:right] = 1
    return ink


def groups(ink: np.ndarray) -> list[Group]:
    return find_groups(ink, WIDE)


def boxes(ink: np.ndarray) -> list[tuple[int, ...]]:
    return [group.box for group in groups(ink)]


def test_find_groups_of_bare_paper_is_empty() -> None:
    assert groups(plane()) == []


def test_find_groups_orders_by_ink() -> None:
    assert boxes(plane((5, 25, 2, 5), (5, 25, 20, 30))) == [(20, 5, 30, 25), (2, 5, 5, 25)]


def test_find_groups_joins_what_touches_by_a_corner_or_is_two_pixels_apart() -> None:
    assert len(groups(plane((0, 10, 0, 5), (10, 20, 5, 9)))) == 1
    assert len(groups(plane((0, 20, 0, 5), (0, 20, 7, 12)))) == 1
    assert len(groups(plane((0, 20, 0, 5), (0, 20, 9, 14)))) == 2


@pytest.mark.parametrize(
    ("fragment", "joined"),
    [
        ((8, 11, 22, 30), True),  # a bar beside the top, as of a 5
        ((8, 11, 36, 39), False),  # the same far away
        ((8, 28, 23, 25), False),  # as high as a digit of its own
        ((14, 22, 14, 16), True),  # inside
    ],
)
def test_find_groups_joins_a_fragment_with_its_digit(
    fragment: tuple[int, int, int, int], joined: bool
) -> None:
    ring = plane((8, 28, 5, 19))
    ring[12:24, 9:16] = 0
    assert len(groups(np.maximum(ring, plane(fragment)))) == (1 if joined else 2)


@pytest.mark.parametrize(
    ("above", "below", "joined"),
    [
        ((2, 18, 10, 22), (21, 38, 10, 22), True),  # the halves of a 3 that is broken
        ((2, 18, 10, 22), (25, 40, 10, 22), False),  # a digit of its own below
        ((2, 18, 1, 13), (5, 21, 16, 28), False),  # likewise, beside the first
    ],
)
def test_find_groups_joins_two_halves_of_a_digit(
    above: tuple[int, int, int, int], below: tuple[int, int, int, int], joined: bool
) -> None:
    assert len(groups(np.maximum(plane(above), plane(below)))) == (1 if joined else 2)


@pytest.mark.parametrize(
    ("digit", "edge", "joined"),
    [
        ((3, 20, 10, 22), (23, 40, 10, 22), False),  # the border cuts a neighbour right below
        ((8, 28, 8, 22), (8, 11, 25, 40), False),  # or one beside
        ((0, 18, 10, 22), (21, 40, 10, 22), True),  # a broken digit in a tight crop
        ((20, 40, 10, 30), (10, 17, 12, 20), True),  # a fragment of a digit at the border
    ],
)
def test_find_groups_leave_what_the_border_cuts_out_of_a_whole_digit(
    digit: tuple[int, int, int, int], edge: tuple[int, int, int, int], joined: bool
) -> None:
    both = np.maximum(plane(digit), plane(edge))
    assert len(find_groups(both, WIDE)) == 1
    assert len(find_groups(both, EXACT)) == (1 if joined else 2)


@given(arrays.arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_find_groups_share_out_every_pixel_once(mask: np.ndarray) -> None:
    found = groups(mask.astype(np.float32))  # at most 36, fewer than are looked at
    assert (sum((group.mask.astype(int) for group in found), np.zeros(mask.shape)) == mask).all()
    for group in found:
        assert group.mass == group.mask.sum()


def test_grown_reaches_the_eight_neighbours() -> None:
    ink = plane((10, 11, 10, 11))
    assert (grown(ink) == plane((9, 12, 9, 12))).all()


def test_find_groups_of_many_specks_takes_the_largest() -> None:
    ink = np.zeros((300, 300), np.float32)
    ink[::4, ::4] = 1
    ink[100:130, 100:130] = 1
    found = groups(ink)
    assert len(found) <= 64
    assert found[0].mass >= 900
