import math
import subprocess
import sys

import pytest
import torch

from model.cvae import draw_weights
from tests.conftest import ROOT
from tests.training.conftest import CPU, Mnist
from training.evaluation.judge import Judge
from training.sharp.batches import Batches
from training.sharp.guide import Guide, GuideStage, cross_entropy, distort, guide_loss
from training.sharp.recipe import SHARP


def test_guide_learns_the_slice(mnist: Mnist, batches: Batches) -> None:
    guide = Guide(side=28, classes=10, width=4)
    draw_weights(guide, torch.Generator().manual_seed(0))
    settings = SHARP.guide.model_copy(update={"steps": 120, "average": 0.9})
    stage = GuideStage(guide, batches, settings)
    for _ in range(settings.steps):
        stage.step()
    stage.finish()
    images, labels = mnist[1].batch(torch.arange(200), CPU)
    guide.eval()
    assert guide.features(images).shape == (200, 12, 7, 7)
    assert (guide(images).argmax(dim=1) == labels).float().mean() > 0.8


def test_guide_is_another_network_than_the_judge_which_no_stage_imports() -> None:
    """What scores must not steer training."""
    guide = Guide(side=28, classes=10, width=SHARP.guide.width)
    assert guide.state_dict().keys() != Judge().state_dict().keys()
    code = "import sys, training.sharp.pipeline; print('training.evaluation.judge' in sys.modules)"
    shown = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True)
    assert shown.strip() == "False"


def test_guide_loss_is_zero_from_the_confidence_threshold_on() -> None:
    one_hot = torch.eye(10)[:1]
    odds = [math.log(9 * p / (1 - p)) for p in (0.5, 0.9, 0.99)]  # one label against nine alike
    half, enough, more = (guide_loss(score * one_hot, one_hot, 0.9).item() for score in odds)
    assert half == pytest.approx(math.log(0.9 / 0.5), rel=1e-5)
    assert enough == pytest.approx(0, abs=1e-6)
    assert more == 0


def test_cross_entropy_equals_that_of_torch() -> None:
    scores = torch.randn(5, 10, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(5)
    found = cross_entropy(scores, torch.eye(10)[labels])
    expected = torch.nn.functional.cross_entropy(scores, labels, reduction="none")
    torch.testing.assert_close(found, expected)


def test_distort_by_each_number_moves_the_ink_and_keeps_most_of_it() -> None:
    images = torch.zeros(7, 28, 28)
    images[:, 8:20, 12:15] = 1
    images[:, 8:11, 12:18] = 1
    moved = distort(images, torch.eye(7, 6))  # the last one by nothing
    torch.testing.assert_close(moved[6], images[6], atol=1e-4, rtol=0)
    for image, each in zip(images[:6], moved[:6], strict=True):
        assert (each - image).abs().sum() > 3
        assert 0.7 < each.sum() / image.sum() < 1.4
