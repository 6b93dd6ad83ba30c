import math
import subprocess
import sys

import pytest
import torch

from model.cvae import draw_weights
from tests.conftest import ROOT
from training.data import LabelledImages
from training.evaluation.judge import Judge, JudgeRecipe
from training.sharp.batches import Lesson
from training.sharp.guide import Guide, GuideStage, distorted, doubt, surprise
from training.sharp.recipe import SHARP

Mnist = tuple[LabelledImages, LabelledImages]


def test_guide_learns_the_slice(mnist: Mnist) -> None:
    generator = torch.Generator().manual_seed(0)
    guide = Guide(classes=10, width=4)
    draw_weights(guide, generator)
    lesson = Lesson(mnist[0], 50, 10, 6, generator, torch.device("cpu"))
    settings = SHARP.guide.model_copy(update={"steps": 120, "average": 0.9})
    stage = GuideStage(guide, lesson, settings)
    for _ in range(settings.steps):
        stage.step()
    stage.finish()
    images, labels = mnist[1].batch(torch.arange(200), torch.device("cpu"))
    guide.eval()
    assert guide.features(images).shape == (200, 12, 7, 7)
    assert (guide(images).argmax(dim=1) == labels).float().mean() > 0.8


def test_the_guide_is_not_the_judge() -> None:
    """It steers training, so it must not score: another network, and not as long at school."""
    guide, judge = Guide(classes=10, width=SHARP.guide.width), Judge()
    assert guide.state_dict().keys() != judge.state_dict().keys()
    images = SHARP.guide.steps * SHARP.guide.batch_size
    assert images != JudgeRecipe().epochs * 60_000


def test_no_stage_knows_the_judge() -> None:
    """What scores is out of reach of what trains; only a run's last line calls the evaluation."""
    command = (
        "import sys, training.sharp.pipeline; print('training.evaluation.judge' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


def test_doubt_is_zero_from_sure_enough_and_grows_before() -> None:
    one_hot = torch.eye(10)[:1]
    odds = [math.log(9 * p / (1 - p)) for p in (0.5, 0.9, 0.99)]  # one label against nine alike
    half, enough, more = (doubt(score * one_hot, one_hot, 0.9).item() for score in odds)
    assert half == pytest.approx(math.log(0.9 / 0.5), rel=1e-5)
    assert enough == pytest.approx(0, abs=1e-6)
    assert more == 0


def test_surprise_is_the_cross_entropy() -> None:
    scores = torch.randn(5, 10, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(5)
    found = surprise(scores, torch.eye(10)[labels])
    expected = torch.nn.functional.cross_entropy(scores, labels, reduction="none")
    torch.testing.assert_close(found, expected)


def test_distorted_by_nothing_is_the_same() -> None:
    images = torch.rand(3, 28, 28)
    torch.testing.assert_close(distorted(images, torch.zeros(3, 6)), images, atol=1e-4, rtol=0)


@pytest.mark.parametrize("number", range(6))
def test_distorted_each_number_moves_the_ink_and_keeps_most_of_it(number: int) -> None:
    image = torch.zeros(1, 28, 28)
    image[:, 8:20, 12:15] = 1
    image[:, 8:11, 12:18] = 1
    random = torch.zeros(1, 6)
    random[0, number] = 1
    moved = distorted(image, random)
    assert (moved - image).abs().sum() > 3
    assert 0.7 < moved.sum() / image.sum() < 1.4
