import pytest
import torch
from torch import nn

from model.config import ARTICLE, CVAEConfig
from model.cvae import CVAE, reparametrise


def widths(stack: nn.Module) -> list[tuple[int, int]]:
    return [(m.in_features, m.out_features) for m in stack.modules() if isinstance(m, nn.Linear)]


def one_hot(labels: list[int]) -> torch.Tensor:
    return nn.functional.one_hot(torch.tensor(labels), 10).float()


def test_article_network_has_the_layers_of_the_article() -> None:
    cvae = CVAE(ARTICLE)
    assert widths(cvae.encoder.layers) == [(794, 512), (512, 512)]
    assert widths(cvae.encoder.mean) == [(512, 256)]
    assert widths(cvae.encoder.log_variance) == [(512, 256)]
    assert widths(cvae.decoder.layers) == [(266, 512), (512, 512), (512, 784)]
    unconditional = CVAE(ARTICLE.model_copy(update={"conditional": False}))
    assert widths(unconditional.encoder.layers)[0] == (784, 512)
    assert widths(unconditional.decoder.layers)[0] == (256, 512)
    activations = {type(m) for m in cvae.modules() if not list(m.children())} - {nn.Linear}
    assert activations == {nn.ReLU}


@pytest.mark.parametrize("conditional", [True, False])
@pytest.mark.parametrize("batch", [1, 3])
def test_cvae_shapes(tiny_config: CVAEConfig, conditional: bool, batch: int) -> None:
    config = tiny_config.model_copy(update={"conditional": conditional})
    cvae = CVAE(config).eval()
    label = one_hot([4] * batch) if conditional else None
    output = cvae(torch.rand(batch, 28, 28), label)
    assert output.logits.shape == (batch, 28, 28)
    assert output.mean.shape == output.log_variance.shape == (batch, config.latent)
    pixels = cvae.decoder(torch.randn(batch, config.latent), label)
    assert pixels.shape == (batch, 28, 28)
    assert 0 <= pixels.min() <= pixels.max() <= 1


def test_reparametrise_is_mean_plus_scaled_noise() -> None:
    mean, log_variance = torch.tensor([[1.0, -2.0]]), torch.tensor([[0.0, 2.0]]).log() * 2
    epsilon = torch.tensor([[0.5, -1.0]])
    log_variance[0, 0] = 0.0
    assert reparametrise(mean, log_variance, epsilon).tolist() == [[1.5, -4.0]]


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
    with pytest.raises(ValueError, match=r"needs epsilon, a sample of N\(0, I\) of shape \(2, 6\)"):
        CVAE(tiny_config).train()(torch.rand(2, 28, 28), one_hot([3, 9]))


@pytest.mark.parametrize("conditional", [True, False])
def test_forward_missing_or_unexpected_label_raises(
    tiny_config: CVAEConfig, conditional: bool
) -> None:
    cvae = CVAE(tiny_config.model_copy(update={"conditional": conditional})).eval()
    with pytest.raises(ValueError, match=f"conditional={conditional}"):
        cvae(torch.rand(1, 28, 28), None if conditional else one_hot([1]))


def test_label_changes_the_picture(tiny_cvae: CVAE) -> None:
    noise = torch.zeros(2, 6)
    first, second = tiny_cvae.decoder(noise, one_hot([0, 1]))
    assert not torch.equal(first, second)


def test_picture_does_not_depend_on_its_batch(tiny_cvae: CVAE) -> None:
    noise, label = torch.randn(16, 6), one_hot([n % 10 for n in range(16)])
    together = tiny_cvae.decoder(noise, label)
    alone = torch.cat([tiny_cvae.decoder(noise[n : n + 1], label[n : n + 1]) for n in range(16)])
    torch.testing.assert_close(together, alone, atol=1e-6, rtol=0)


def test_gradients_reach_every_weight_and_are_finite(tiny_config: CVAEConfig) -> None:
    cvae = CVAE(tiny_config).train()
    output = cvae(torch.rand(4, 28, 28), one_hot([0, 1, 2, 3]), torch.randn(4, 6))
    (output.logits.sum() + output.mean.sum() + output.log_variance.sum()).backward()
    for name, parameter in cvae.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


def test_initialise_same_seed_same_weights_other_seed_other_weights(
    tiny_config: CVAEConfig,
) -> None:
    def weights(seed: int) -> torch.Tensor:
        cvae = CVAE(tiny_config)
        cvae.initialise(torch.Generator().manual_seed(seed))
        return nn.utils.parameters_to_vector(cvae.parameters())

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_initialise_has_the_deviation_of_torchs_default() -> None:
    # Of 512 x 794 uniform draws the deviation is known to 0.2 %; 2 % is far outside chance.
    cvae = CVAE(ARTICLE)
    default = cvae.encoder.layers[0].weight.std().item()  # type: ignore[operator]
    cvae.initialise(torch.Generator().manual_seed(0))
    assert cvae.encoder.layers[0].weight.std().item() == pytest.approx(default, rel=0.02)  # type: ignore[operator]
