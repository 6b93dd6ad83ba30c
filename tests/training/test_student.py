import pytest
import torch

from model.config import CVAEConfig
from model.cvae import CVAE, draw_weights
from training.data import LabelledImages
from training.discriminator import Discriminator
from training.flow import Flow
from training.lesson import Lesson
from training.recipe import SHARP, StageSettings
from training.student import DistilStage, EncoderStage, SharpenStage
from training.teacher import Teacher

Mnist = tuple[LabelledImages, LabelledImages]
SETTINGS = StageSettings(steps=40, batch_size=50, learning_rate=3e-3, average=0.5)


@pytest.fixture
def lesson(mnist: Mnist) -> Lesson:
    return Lesson(mnist[0], 50, 10, 6, torch.Generator().manual_seed(0), torch.device("cpu"))


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


def test_sharpen_stage_changes_the_decoder_and_not_the_teacher(
    student: CVAE, teacher: Teacher, lesson: Lesson
) -> None:
    settings = SHARP.sharpen.model_copy(update={"steps": 3, "penalty_every": 2})
    before = {name: weight.clone() for name, weight in teacher.state_dict().items()}
    decoder = first_weight(student).clone()
    stage = SharpenStage(student.decoder, teacher, Discriminator(10, 2), lesson, settings)
    for _ in range(3):
        assert all(part.isfinite() for part in stage.step().values())
    stage.finish()
    assert not torch.equal(decoder, first_weight(student))
    for name, weight in teacher.state_dict().items():
        assert torch.equal(before[name], weight), name


def test_anchor_sees_shapes_and_not_edges(student: CVAE, teacher: Teacher, lesson: Lesson) -> None:
    settings = SHARP.sharpen.model_copy(update={"anchor_block": 4})
    stage = SharpenStage(student.decoder, teacher, Discriminator(10, 2), lesson, settings)
    plain = torch.zeros(1, 28, 28)
    edge = plain.clone()
    edge[0, 0, 0], edge[0, 0, 1] = 1, -1  # within a block: its mean stays
    moved = plain + 0.5
    assert stage._anchor(edge, plain).item() == 0
    assert stage._anchor(moved, plain).item() == pytest.approx(784 * 0.25)


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
