import pytest
import torch
from torch import Tensor, nn

from model.config import CVAEConfig
from model.cvae import Decoder, draw_weights
from training.sharp.subpixels import FieldDecoder

CONFIG = CVAEConfig(
    image_height=5,
    image_width=6,
    classes=3,
    hidden=(7, 8),
    latent=4,
    conditional=True,
    overshoot=0.05,
    supersampling=2,
)


def decoder(side: int = 2) -> FieldDecoder:
    rng = torch.Generator().manual_seed(0)
    made = FieldDecoder(CONFIG.model_copy(update={"supersampling": side}))
    draw_weights(made, rng)
    return made


def inputs() -> tuple[Tensor, Tensor]:
    return torch.randn(3, 4, generator=torch.Generator().manual_seed(1)), torch.eye(3)


@pytest.mark.parametrize("side", [1, 2, 3])
def test_plain_decoder_with_its_weights_draws_the_same(side: int) -> None:
    trained = decoder(side)
    rng = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for learned in (trained.kernels, trained.shifts):
            learned.add_(torch.randn(learned.shape, generator=rng))
    plain = Decoder(trained.config)
    plain.load_state_dict(trained.weights())
    noise, one_hot = inputs()
    expected = trained.subpixel_logits(noise, one_hot)
    assert expected.shape == (3, side**2, 5, 6)
    torch.testing.assert_close(plain.subpixel_logits(noise, one_hot), expected)
    torch.testing.assert_close(plain(noise, one_hot), trained(noise, one_hot))


def test_subpixels_begin_as_the_field_between_its_pixels() -> None:
    """Of a field that rises by 1 to the right and by 10 downwards."""
    trained = decoder()
    down, right = torch.arange(5.0).reshape(-1, 1), torch.arange(6.0)
    last = trained.layers[-1]
    assert isinstance(last, nn.Linear)
    with torch.no_grad():
        last.weight.zero_()
        last.bias.copy_((10 * down + right).flatten())
    upper_left, upper_right, lower_left, lower_right = trained.subpixel_logits(*inputs())[0]
    inside = (slice(1, -1), slice(1, -1))  # at the sides half of a kernel is outside
    middle = (10 * down + right)[inside]
    torch.testing.assert_close(upper_left[inside], middle - 2.75)
    torch.testing.assert_close(upper_right[inside], middle - 2.25)
    torch.testing.assert_close(lower_left[inside], middle + 2.25)
    torch.testing.assert_close(lower_right[inside], middle + 2.75)


def test_kernels_learn_with_the_layers() -> None:
    trained = decoder()
    trained(*inputs()).mean().backward()
    for name, parameter in trained.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.any(), name
