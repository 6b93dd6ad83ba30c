import pytest
import torch
from torch import Tensor

from tests.training.conftest import Mnist
from training.evaluation.forms import frame_share, grey_levels, speck_share


def blank() -> Tensor:
    return torch.zeros(1, 28, 28, dtype=torch.uint8)


def test_speck_is_a_pixel_without_neighbours() -> None:
    picture = blank()
    picture[0, 4:8, 4:8] = 200
    assert speck_share(picture) == 0
    picture[0, 20, 20] = 16  # too pale
    assert speck_share(picture) == 0
    picture[0, 20, 20] = 17
    assert speck_share(picture) == 1
    picture[0, 21, 21] = 17  # a neighbour, if only diagonal
    assert speck_share(picture) == 0


@pytest.mark.parametrize(
    ("height", "width", "framed"), [(20, 3, 1), (5, 20, 1), (19, 19, 0), (21, 20, 0)]
)
def test_frame_is_the_longer_side_of_the_dark_ink(height: int, width: int, framed: int) -> None:
    picture = blank()
    picture[0, 2 : 2 + height, 3 : 3 + width] = 128
    picture[0, :, 27] = 127  # too pale
    assert frame_share(picture) == framed
    assert frame_share(blank()) == 0


def test_real_digits_have_their_form(mnist: Mnist) -> None:
    images = mnist[0].images
    assert speck_share(images) < 0.05
    assert frame_share(images) > 0.95


def test_grey_levels_are_shares_of_all_pixels() -> None:
    picture = blank()
    picture[0, 0, :7] = torch.tensor([1, 8, 9, 63, 192, 252, 255])
    found = {name: round(share * 784) for name, share in grey_levels(picture).items()}
    expected = {"0": 777, "1-8": 2, "9-63": 2, "64-191": 0, "192-251": 1, "252-255": 2}
    assert found == expected
