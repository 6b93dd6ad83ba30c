import torch

from model.cvae import CVAE
from training.sharp.batches import Batches
from training.sharp.recipe import StageSettings
from training.sharp.student import DistilStage, EncoderStage
from training.sharp.teacher import Teacher

SETTINGS = StageSettings(steps=40, batch_size=50, learning_rate=3e-3, average=0.5)


def test_distil_stage_learns_the_digits(student: CVAE, teacher: Teacher, batches: Batches) -> None:
    stage = DistilStage(student.decoder, teacher, batches, SETTINGS)
    losses = [stage.step()["digits"].item() for _ in range(40)]
    assert losses[-1] < 0.9 * losses[0]


def test_encoder_stage_learns_and_does_not_change_the_decoder(
    student: CVAE, batches: Batches
) -> None:
    with torch.no_grad():
        for weight in student.decoder.parameters():
            weight.mul_(3)  # so that the pictures depend on the noise
    before = torch.nn.utils.parameters_to_vector(student.decoder.parameters())
    stage = EncoderStage(student.encoder, student.decoder, batches, SETTINGS)
    losses = [sum(part.item() for part in stage.step().values()) for _ in range(40)]
    stage.finish()
    assert sum(losses[-10:]) < sum(losses[:10])
    assert torch.equal(before, torch.nn.utils.parameters_to_vector(student.decoder.parameters()))
    assert all(weight.requires_grad for weight in student.parameters())
