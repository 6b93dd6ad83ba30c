import pytest
import torch

from model.cvae import CVAE
from tests.training.conftest import CPU, Mnist
from training.data import LabelledImages
from training.evaluation.likelihood import (
    PLAIN,
    calibrate,
    importance_weighted_log_likelihood,
)


@pytest.fixture
def few(mnist: Mnist) -> LabelledImages:
    return LabelledImages(mnist[1].images[:20], mnist[1].labels[:20])


def test_more_samples_tighten_the_bound(tiny_cvae: CVAE, few: LabelledImages) -> None:
    one, many = (
        importance_weighted_log_likelihood(tiny_cvae, few, samples, 0, CPU) for samples in (1, 200)
    )
    assert one < many < 0


def test_decoder_that_ignores_its_latent_has_the_known_likelihood(
    tiny_cvae: CVAE, few: LabelledImages
) -> None:
    # Every pixel has probability 1/2 whatever z is, so log p = -784 ln 2; with q = p = N(0, I)
    # each weight is that number exactly.
    blind = CVAE(tiny_cvae.config).eval()
    for parameter in blind.parameters():
        torch.nn.init.zeros_(parameter)
    found = importance_weighted_log_likelihood(blind, few, 3, 0, CPU)
    assert found == pytest.approx(-784 * 0.693147, rel=1e-5)


def test_same_seed_gives_the_same_likelihood(tiny_cvae: CVAE, few: LabelledImages) -> None:
    first, again, other = (
        importance_weighted_log_likelihood(tiny_cvae, few, 5, seed, CPU) for seed in (1, 1, 2)
    )
    assert first == again != other


def test_calibration_finds_the_share_of_ink_and_raises_the_likelihood(
    tiny_cvae: CVAE, few: LabelledImages
) -> None:
    blind = CVAE(tiny_cvae.config).eval()
    for parameter in blind.parameters():
        torch.nn.init.zeros_(parameter)
    observation = calibrate(blind, few, 0, CPU)
    share = (few.images.float() / 255).mean()
    assert observation.shift == pytest.approx(torch.logit(share).item(), abs=0.1)
    plain, fair = (
        importance_weighted_log_likelihood(blind, few, 3, 0, CPU, model)
        for model in (PLAIN, observation)
    )
    assert fair > plain + 100
