import copy
import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from model.cvae import CVAE, Decoder, draw_weights
from training.sharp.batches import Batches
from training.sharp.discriminator import FeatureDiscriminator, PictureDiscriminator
from training.sharp.guide import Guide
from training.sharp.recipe import SHARP
from training.sharp.sharpening import (
    Digits,
    DiscriminatorTrainer,
    Sharpened,
    SharpenStage,
    anchor_loss,
    rounded,
)
from training.sharp.teacher import Teacher

SETTINGS = SHARP.sharpen.model_copy(update={"steps": 30, "penalty_every": 2})
MakeStage = Callable[..., SharpenStage]


@pytest.fixture
def decoder(student: CVAE) -> Decoder:
    return student.decoder


@pytest.fixture
def make_stage(decoder: Decoder, teacher: Teacher, guide: Guide, batches: Batches) -> MakeStage:
    """A stage of small networks; keyword arguments are settings."""

    def make(**changes: float) -> SharpenStage:
        pictures = PictureDiscriminator(28, 10, 6, 2)
        features = FeatureDiscriminator(28, guide.channels, 10, 6, 4)
        for discriminator in (pictures, features):
            draw_weights(discriminator, torch.Generator().manual_seed(0))
        networks = Sharpened(decoder, pictures, features)
        settings = SETTINGS.model_copy(update=changes)
        return SharpenStage(networks, teacher, guide, batches, settings)

    return make


def test_sharpen_stage_changes_the_decoder_but_neither_teacher_nor_guide(
    make_stage: MakeStage, decoder: Decoder, teacher: Teacher, guide: Guide
) -> None:
    modules = decoder, teacher, guide
    before = [copy.deepcopy(module.state_dict()) for module in modules]
    stage = make_stage()
    for _ in range(3):
        assert all(part.isfinite() for part in stage.step().values())
    stage.finish()
    kept = [
        all(torch.equal(weight, module.state_dict()[name]) for name, weight in weights.items())
        for weights, module in zip(before, modules, strict=True)
    ]
    assert kept == [False, True, True]


def test_guide_loss_is_that_of_the_drawn_digits(make_stage: MakeStage) -> None:
    parts = make_stage(confidence_threshold=0.999999).step()
    assert parts["guide"].item() == pytest.approx(math.log(10), rel=0.1)  # an untrained guide
    assert make_stage(confidence_threshold=0.01).step()["guide"].item() == 0


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_discriminators_see_a_share_of_the_noises(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    seen = []
    step = DiscriminatorTrainer.step

    def watched(trainer: DiscriminatorTrainer, real: Digits, drawn: Digits) -> Tensor:
        seen.extend([real.noise, drawn.noise])
        return step(trainer, real, drawn)

    monkeypatch.setattr(DiscriminatorTrainer, "step", watched)
    make_stage(noise_share=share).step()
    assert len(seen) == 4  # two discriminators, each with real and drawn digits
    assert all(bool(noise.any()) == bool(share) for noise in seen)


def test_anchor_loss_compares_block_means_and_not_edges() -> None:
    plain = torch.zeros(1, 28, 28)
    edge = plain.clone()
    edge[0, 0, :2] = torch.tensor([1, -1])  # within a block: its mean stays
    assert anchor_loss(edge, plain, block=4).item() == 0
    assert anchor_loss(plain + 0.5, plain, block=4).item() == pytest.approx(784 * 0.25)


def test_rounded_pixels_are_grey_levels_with_the_gradient_of_the_exact_ones() -> None:
    pixels = torch.tensor([0.0, 0.1234, 1.0], requires_grad=True)
    levels = rounded(pixels) * 255
    assert levels.tolist() == pytest.approx([0, 31, 255])
    (gradient,) = torch.autograd.grad(levels.sum(), pixels)
    assert gradient.tolist() == [255, 255, 255]


def test_discriminator_trainer_learns_and_gives_the_decoder_a_gradient() -> None:
    discriminator = PictureDiscriminator(28, 10, 6, 2)
    draw_weights(discriminator, torch.Generator().manual_seed(0))
    trainer = DiscriminatorTrainer(
        discriminator, SETTINGS.model_copy(update={"discriminator_learning_rate": 0.01})
    )
    noise, labels = torch.zeros(10, 6), torch.eye(10)
    bright = Digits(torch.ones(10, 28, 28), noise, labels)
    dark = Digits(torch.zeros(10, 28, 28, requires_grad=True), noise, labels)
    losses = [trainer.step(bright, dark).item() for _ in range(30)]
    assert losses[0] == pytest.approx(math.log(2), rel=0.2)
    assert losses[-1] < 0.5 * losses[0]
    (gradient,) = torch.autograd.grad(trainer.decoder_loss(bright, dark), dark.inputs)
    assert gradient.abs().sum() > 0
