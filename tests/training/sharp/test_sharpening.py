import math
from collections.abc import Callable

import pytest
import torch

from model.cvae import CVAE, Decoder, draw_weights
from training.sharp.batches import Batches
from training.sharp.discriminator import FeatureDiscriminator, PictureDiscriminator
from training.sharp.guide import Guide
from training.sharp.recipe import SHARP
from training.sharp.sharpening import DiscriminatorTrainer, SharpenStage
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


def copied(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: weight.clone() for name, weight in module.state_dict().items()}


def same(before: dict[str, torch.Tensor], module: torch.nn.Module) -> bool:
    after = module.state_dict()
    return all(torch.equal(before[name], after[name]) for name in before)


def test_sharpen_stage_changes_the_decoder_but_neither_teacher_nor_guide(
    make_stage: MakeStage, decoder: Decoder, teacher: Teacher, guide: Guide
) -> None:
    before = [copied(module) for module in (decoder, teacher, guide)]
    stage = make_stage()
    for _ in range(3):
        parts = stage.step()
        assert set(parts) == {
            *("pictures", "features", "generator", "guide", "anchor", "reconstruction")
        }
        assert all(part.isfinite() for part in parts.values())
    stage.finish()
    kept = [
        same(weights, module)
        for weights, module in zip(before, (decoder, teacher, guide), strict=True)
    ]
    assert kept == [False, True, True]


def test_guide_loss_is_that_of_the_drawn_digits(make_stage: MakeStage) -> None:
    parts = make_stage(confidence_threshold=0.999999).step()
    assert parts["guide"].item() == pytest.approx(math.log(10), rel=0.1)  # an untrained guide
    assert make_stage(confidence_threshold=0.01).step()["guide"].item() == 0


def test_anchor_compares_block_means_and_not_edges(make_stage: MakeStage, guide: Guide) -> None:
    stage = make_stage(anchor_block=4)
    plain, label = torch.zeros(1, 28, 28), torch.eye(10)[:1]
    probability = torch.softmax(guide(plain), dim=1)[0, 0].item()
    edge = plain.clone()
    edge[0, 0, 0], edge[0, 0, 1] = 1, -1  # within a block: its mean stays
    assert stage._anchor(edge, plain, label).item() == 0
    moved = stage._anchor(plain + 0.5, plain, label).item()
    assert moved == pytest.approx(probability * 784 * 0.25, rel=1e-5)


def test_anchor_ignores_pictures_of_another_label(make_stage: MakeStage, guide: Guide) -> None:
    last = guide.scores[-1]
    assert isinstance(last, torch.nn.Linear)
    with torch.no_grad():  # a guide that recognises everything as a 3
        last.weight.zero_()
        last.bias.copy_(50 * torch.eye(10)[3])
    stage, plain = make_stage(), torch.zeros(1, 28, 28)
    asked, other = (
        stage._anchor(plain + 0.5, plain, torch.eye(10)[[label]]).item() for label in (3, 4)
    )
    assert asked == pytest.approx(784 * 0.25)
    assert other == pytest.approx(0, abs=1e-6)


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
