import torch

from model.cvae import CVAE
from training.sharp.batches import Batches
from training.sharp.flow import Flow
from training.sharp.recipe import FlowSettings, TeacherSettings
from training.sharp.teacher import FlowStage, Teacher, TeacherStage

STAGE = {"steps": 40, "batch_size": 50, "learning_rate": 3e-3, "average": 0.5}


def test_teacher_stage_loss_falls(student: CVAE, batches: Batches) -> None:
    settings = TeacherSettings.model_validate({**STAGE, "kl_weight": 0.1})
    stage = TeacherStage(student, batches, settings)
    losses = [stage.step()["reconstruction"].item() for _ in range(40)]
    stage.finish()
    assert losses[-1] < 0.7 * losses[0]
    assert not student.training


def test_flow_stage_learns_and_does_not_change_the_encoder(
    student: CVAE, flow: Flow, batches: Batches
) -> None:
    before = student.encoder.mean.weight.clone()
    torch.nn.init.constant_(student.encoder.mean.bias, 3)  # far from the flow at its start
    settings = FlowSettings.model_validate({**STAGE, "depth": 2, "width": 8})
    stage = FlowStage(flow, student, batches, settings)
    losses = [stage.step()["nats"].item() for _ in range(40)]
    assert sum(losses[-10:]) < sum(losses[:10])
    assert torch.equal(before, student.encoder.mean.weight)


def test_teacher_finds_the_noise_of_its_own_pictures(teacher: Teacher) -> None:
    cvae, flow = teacher.cvae, teacher.flow
    one_hot, noise = torch.eye(10), torch.randn(10, 6)
    pixels = teacher.draw(noise, one_hot)
    latent = flow.inverse(noise, one_hot)
    assert torch.equal(pixels, cvae.decoder(latent, one_hot))
    mean, _ = cvae.encoder(pixels, one_hot)
    found = teacher.noise(pixels, one_hot, torch.zeros(10, 6))
    torch.testing.assert_close(flow.inverse(found, one_hot), mean, atol=1e-4, rtol=1e-4)
