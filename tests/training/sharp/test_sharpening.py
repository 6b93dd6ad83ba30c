import copy
import math
from collections.abc import Callable

import pytest
import torch

from model.cvae import CVAE, Decoder, draw_weights
from training.sharp.batches import Batches
from training.sharp.discriminator import FeatureDiscriminator, PictureDiscriminator
from training.sharp.guide import Guide
from training.sharp.recipe import SHARP
from training.sharp.sharpening import DiscriminatorTrainer, SharpenStage, anchor_loss
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
        discriminators = PictureDiscriminator(10, 2), FeatureDiscriminator(guide.channels, 10, 4)
        for discriminator in discriminators:
            draw_weights(discriminator, torch.Generator().manual_seed(0))
        settings = SETTINGS.model_copy(update=changes)
        return SharpenStage(decoder, teacher, guide, discriminators, batches, settings)

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


def test_anchor_loss_compares_block_means_and_not_edges() -> None:
    plain, certain = torch.zeros(1, 28, 28), torch.ones(1)
    edge = plain.clone()
    edge[0, 0, :2] = torch.tensor([1, -1])  # within a block: its mean stays
    assert anchor_loss(edge, plain, certain, block=4).item() == 0
    moved = anchor_loss(plain + 0.5, plain, certain / 10, block=4)
    assert moved.item() == pytest.approx(784 * 0.25 / 10)


def test_discriminator_trainer_learns_and_gives_the_decoder_a_gradient() -> None:
    discriminator = PictureDiscriminator(10, 2)
    draw_weights(discriminator, torch.Generator().manual_seed(0))
    trainer = DiscriminatorTrainer(
        discriminator, SETTINGS.model_copy(update={"discriminator_learning_rate": 0.01})
    )
    labels = torch.eye(10)
    bright, dark = torch.ones(10, 28, 28), torch.zeros(10, 28, 28)
    losses = [trainer.step(bright, labels, dark, labels).item() for _ in range(30)]
    assert losses[0] == pytest.approx(2 * math.log(2), rel=0.2)
    assert losses[-1] < 0.5 * losses[0]
    drawn = dark.clone().requires_grad_()
    discriminator.zero_grad(set_to_none=True)
    trainer.generator_loss(drawn, labels).backward()  # type: ignore[no-untyped-call]
    assert drawn.grad is not None
    assert all(weight.grad is None for weight in discriminator.parameters())
