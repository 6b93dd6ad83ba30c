import pytest
import torch

from model.config import CVAEConfig
from model.cvae import CVAE, draw_weights
from training.sharp.batches import Lesson
from training.sharp.flow import Flow
from training.sharp.recipe import StageSettings
from training.sharp.student import DistilStage, EncoderStage
from training.sharp.teacher import Teacher

SETTINGS = StageSettings(steps=40, batch_size=50, learning_rate=3e-3, average=0.5)


@pytest.fixture
def student(tiny_config: CVAEConfig) -> CVAE:
    cvae = CVAE(tiny_config)
    cvae.initialise(torch.Generator().manual_seed(1))
    return cvae


@pytest.fixture
def teacher(tiny_cvae: CVAE) -> Teacher:
    flow = Flow(latent=6, classes=10, depth=2, width=8)
    draw_weights(flow, torch.Generator().manual_seed(0))
    return Teacher(tiny_cvae, flow)


def first_weight(cvae: CVAE) -> torch.Tensor:
    """The first weight of the decoder."""
    return next(cvae.decoder.parameters()).detach()


def test_distil_stage_learns_the_digits(student: CVAE, teacher: Teacher, lesson: Lesson) -> None:
    stage = DistilStage(student.decoder, teacher, lesson, SETTINGS)
    losses = [stage.step()["digits"].item() for _ in range(40)]
    assert losses[-1] < 0.9 * losses[0]


def test_encoder_stage_learns_and_leaves_the_decoder(student: CVAE, lesson: Lesson) -> None:
    with torch.no_grad():
        for weight in student.decoder.parameters():
            weight.mul_(3)  # a decoder whose pictures depend on the noise
    before = first_weight(student).clone()
    stage = EncoderStage(student.encoder, student.decoder, lesson, SETTINGS)
    losses = [sum(part.item() for part in stage.step().values()) for _ in range(40)]
    stage.finish()
    assert sum(losses[-10:]) < sum(losses[:10])
    assert torch.equal(before, first_weight(student))
    assert all(weight.requires_grad for weight in student.parameters())
