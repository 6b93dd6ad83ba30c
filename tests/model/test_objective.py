import torch
from torch.distributions import Normal, kl_divergence

from model.cvae import CVAEOutput
from model.objective import gaussian_kl, negative_elbo, reconstruction_nll


def test_gaussian_kl_equals_torch_distributions() -> None:
    mean, log_variance = torch.randn(5, 7), torch.randn(5, 7)
    expected = kl_divergence(Normal(mean, torch.exp(log_variance / 2)), Normal(0.0, 1.0)).sum(1)
    torch.testing.assert_close(gaussian_kl(mean, log_variance), expected)


def test_reconstruction_nll_is_the_cross_entropy() -> None:
    logits, images = torch.randn(1, 2, 2), torch.rand(1, 2, 2)
    ink = torch.sigmoid(logits)
    expected = -(images * ink.log() + (1 - images) * (1 - ink).log()).sum((1, 2))
    torch.testing.assert_close(reconstruction_nll(logits, images), expected)


def test_reconstruction_nll_extreme_logits_stay_finite() -> None:
    logits = torch.tensor([[[1e4, -1e4]]])
    assert reconstruction_nll(logits, torch.tensor([[[1.0, 0.0]]])).item() == 0.0
    assert reconstruction_nll(logits, torch.tensor([[[0.0, 0.0]]])).item() == 1e4


def test_negative_elbo_is_the_sum_of_its_parts() -> None:
    output = CVAEOutput(torch.randn(4, 28, 28), torch.randn(4, 6), torch.randn(4, 6))
    images = torch.rand(4, 28, 28)
    loss = negative_elbo(output, images)
    torch.testing.assert_close(loss.total, loss.reconstruction_nll + loss.kl)
    torch.testing.assert_close(loss.kl, gaussian_kl(output.mean, output.log_variance))
