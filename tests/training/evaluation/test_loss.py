import pytest
import torch

from model.cvae import CVAE
from model.objective import negative_elbo
from tests.training.conftest import CPU, Mnist
from training.evaluation.loss import evaluate_loss, label_one_hot


def test_at_mean_is_the_loss_at_the_posterior_mean(tiny_cvae: CVAE, mnist: Mnist) -> None:
    test = mnist[1]
    images, labels = test.batch(torch.arange(len(test)), CPU)
    with torch.no_grad():
        expected = negative_elbo(tiny_cvae(images, torch.eye(10)[labels]), images)
    found = evaluate_loss(tiny_cvae, test, seed=0, device=CPU)["at_mean"]
    assert found["negative_elbo"] == pytest.approx(expected.total.mean().item(), rel=1e-5)
    assert found["kl"] == pytest.approx(expected.kl.mean().item(), rel=1e-5)


def test_bound_depends_on_the_seed_and_at_mean_does_not(tiny_cvae: CVAE, mnist: Mnist) -> None:
    first, again, other = (evaluate_loss(tiny_cvae, mnist[1], seed, CPU) for seed in (0, 0, 1))
    assert not tiny_cvae.training
    assert first == again
    assert first["bound"]["reconstruction_nll"] != other["bound"]["reconstruction_nll"]
    assert first["at_mean"] == other["at_mean"]
    assert first["bound"]["kl"] == other["bound"]["kl"]  # in closed form, not sampled


def test_label_one_hot_is_none_for_an_unconditional_vae(tiny_cvae: CVAE) -> None:
    labels = torch.tensor([3])
    assert label_one_hot(labels, tiny_cvae).tolist() == [[0, 0, 0, 1, 0, 0, 0, 0, 0, 0]]  # type: ignore[union-attr]
    vae = CVAE(tiny_cvae.config.model_copy(update={"conditional": False}))
    assert label_one_hot(labels, vae) is None
