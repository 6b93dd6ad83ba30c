import math

import pytest
import torch
from torch import nn

from model.config import ARTICLE, CVAEConfig
from model.cvae import CVAE, logit_of_mean, reparametrise


def one_hot(labels: list[int]) -> torch.Tensor:
    return nn.functional.one_hot(torch.tensor(labels), 10).float()


def test_article_network_has_only_dense_layers_and_relu() -> None:
    assert {type(m) for m in CVAE(ARTICLE).modules() if not list(m.children())} == {
        nn.Linear,
        nn.ReLU,
    }


@pytest.mark.parametrize("conditional", [True, False])
@pytest.mark.parametrize("batch", [1, 3])
def test_forward_returns_the_shapes_of_the_configuration(
    tiny_config: CVAEConfig, conditional: bool, batch: int
) -> None:
    cvae = CVAE(tiny_config.model_copy(update={"conditional": conditional})).eval()
    label = one_hot([4] * batch) if conditional else None
    output = cvae(torch.rand(batch, 28, 28), label)
    assert output.logits.shape == (batch, 28, 28)
    assert output.mean.shape == output.log_variance.shape == (batch, 6)
    pixels = cvae.decoder(torch.randn(batch, 6), label)
    assert pixels.shape == (batch, 28, 28)
    assert 0 <= pixels.min() <= pixels.max() <= 1


def test_reparametrise_is_mean_plus_scaled_noise() -> None:
    mean, log_variance = torch.tensor([[1.0, -2.0]]), torch.tensor([[1.0, 4.0]]).log()
    found = reparametrise(mean, log_variance, epsilon=torch.tensor([[0.5, -1.0]]))
    torch.testing.assert_close(found, torch.tensor([[1.5, -4.0]]))


def test_forward_in_evaluation_mode_uses_the_mean(tiny_cvae: CVAE) -> None:
    images, label = torch.rand(2, 28, 28), one_hot([3, 9])
    output = tiny_cvae(images, label)
    assert torch.equal(output.logits, tiny_cvae.decoder.logits(output.mean, label))


def test_forward_in_training_mode_samples_with_epsilon(tiny_config: CVAEConfig) -> None:
    cvae = CVAE(tiny_config).train()
    images, label, epsilon = torch.rand(2, 28, 28), one_hot([3, 9]), torch.randn(2, 6)
    output = cvae(images, label, epsilon)
    latent = reparametrise(output.mean, output.log_variance, epsilon)
    assert torch.equal(output.logits, cvae.decoder.logits(latent, label))
    assert not torch.equal(output.logits, cvae(images, label, -epsilon).logits)


def test_forward_in_training_mode_without_epsilon_raises(tiny_config: CVAEConfig) -> None:
    sentence = r"needs epsilon, a sample of N\(0, I\) of shape \(2, 6\)"
    with pytest.raises(ValueError, match=sentence):
        CVAE(tiny_config).train()(torch.rand(2, 28, 28), one_hot([3, 9]))


@pytest.mark.parametrize("conditional", [True, False])
def test_forward_missing_or_unexpected_label_raises(
    tiny_config: CVAEConfig, conditional: bool
) -> None:
    cvae = CVAE(tiny_config.model_copy(update={"conditional": conditional})).eval()
    with pytest.raises(ValueError, match=f"conditional={conditional}"):
        cvae(torch.rand(1, 28, 28), None if conditional else one_hot([1]))


def test_pixel_is_the_mean_of_its_subpixels(tiny_config: CVAEConfig) -> None:
    fine = tiny_config.model_copy(update={"supersampling": 2})
    decoder = CVAE(fine).decoder
    latent, label = torch.randn(3, 6), one_hot([1, 2, 3])
    subpixels = torch.sigmoid(decoder.subpixel_logits(latent, label))
    assert subpixels.shape == (3, 4, 28, 28)
    torch.testing.assert_close(decoder(latent, label), subpixels.mean(dim=1))


def test_logits_of_subpixels_are_those_of_their_mean_however_large() -> None:
    logits = torch.tensor([[3.0, -2.0], [200.0, 200.0], [-200.0, -190.0], [300.0, -300.0]])
    expected = torch.sigmoid(logits[0]).mean().logit().item()
    found = logit_of_mean(logits.reshape(4, 2, 1, 1)).flatten()
    # exp(-190) beside exp(-200) is the mean of both, but for a half.
    wanted = torch.tensor([expected, 200.0, -190.0 - math.log(2), 0.0])
    torch.testing.assert_close(found, wanted, atol=1e-3, rtol=0)


def test_decoder_depends_on_the_label(tiny_cvae: CVAE) -> None:
    first, second = tiny_cvae.decoder(torch.zeros(2, 6), one_hot([0, 1]))
    assert not torch.equal(first, second)


def test_gradients_reach_every_weight_and_are_finite(tiny_config: CVAEConfig) -> None:
    cvae = CVAE(tiny_config).train()
    output = cvae(torch.rand(4, 28, 28), one_hot([0, 1, 2, 3]), torch.randn(4, 6))
    (output.logits.sum() + output.mean.sum() + output.log_variance.sum()).backward()
    for name, parameter in cvae.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


def test_initialise_depends_on_the_seed_only_and_has_the_deviation_of_torchs_default() -> None:
    def weights(seed: int | None) -> torch.Tensor:
        cvae = CVAE(ARTICLE)
        if seed is not None:
            cvae.initialise(torch.Generator().manual_seed(seed))
        return torch.as_tensor(cvae.state_dict()["encoder.layers.0.weight"])

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))
    # Of 512 x 794 uniform numbers the deviation is known to 0.2 %; 2 % is far outside chance.
    assert weights(1).std().item() == pytest.approx(weights(None).std().item(), rel=0.02)
