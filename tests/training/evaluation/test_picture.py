import io

import pytest
import torch
from PIL import Image

from model.cvae import CVAE
from tests.training.conftest import CPU, Mnist
from training.evaluation.picture import interpolate, picture_report


def test_picture_report_has_five_panels(tiny_cvae: CVAE, mnist: Mnist) -> None:
    picture = Image.open(io.BytesIO(picture_report(tiny_cvae, *mnist, 0, CPU)))
    rows = 5 + 2 + 10 + 5 + 2
    assert picture.size == (2 * 280, 2 * (28 * rows + 5 * 4))


def test_interpolate_follows_the_arc_between_its_ends() -> None:
    first, second = torch.tensor([3.0, 0.0]), torch.tensor([0.0, 3.0])
    way = interpolate(first, second, torch.linspace(0, 1, 5))
    assert way[0].tolist() == pytest.approx([3, 0], abs=1e-5)
    assert way[-1].tolist() == pytest.approx([0, 3], abs=1e-5)
    assert way.norm(dim=1).tolist() == pytest.approx([3] * 5, rel=1e-5)
    same = interpolate(first, first, torch.tensor([0.5]))  # an arc of length 0
    assert same[0].tolist() == pytest.approx([3, 0], rel=1e-3)
