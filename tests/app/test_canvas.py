import numpy as np

from app.canvas import stitch


def test_stitch_sets_pictures_side_by_side() -> None:
    pictures = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    assert np.array_equal(stitch(pictures), np.hstack(list(pictures)))


def test_stitch_one_picture_is_itself() -> None:
    picture = np.arange(6, dtype=np.uint8).reshape(1, 2, 3)
    assert np.array_equal(stitch(picture), picture[0])
