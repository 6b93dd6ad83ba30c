import pytest
import torch

from model.config import CVAEConfig
from model.cvae import CVAE, draw_weights
from training.sharp.batches import Lesson
from training.sharp.flow import Flow
from training.sharp.recipe import FlowSettings, TeacherSettings
from training.sharp.teacher import FlowStage, Teacher, TeacherStage

STAGE = {"steps": 40, "batch_size": 50, "learning_rate": 3e-3, "average": 0.5}


@pytest.fixture
def cvae(tiny_config: CVAEConfig) -> CVAE:
    cvae = CVAE(tiny_config)
    cvae.initialise(torch.Generator().manual_seed(0))
    return cvae


@pytest.fixture
def flow() -> Flow:
    flow = Flow(latent=6, classes=10, depth=2, width=8)
    draw_weights(flow, torch.Generator().manual_seed(0))
    return flow


def test_teacher_stage_loss_falls(cvae: CVAE, lesson: Lesson) -> None:
    stage = TeacherStage(cvae, lesson, TeacherSettings.model_validate({**STAGE, "kl_weight": 0.1}))
    losses = [stage.step()["reconstruction"].item() for _ in range(40)]
    stage.finish()
    assert losses[-1] < 0.7 * losses[0]
    assert not cvae.training


def test_flow_stage_learns_the_frozen_latents(cvae: CVAE, flow: Flow, lesson: Lesson) -> None:
    before = cvae.encoder.mean.weight.clone()
    torch.nn.init.constant_(cvae.encoder.mean.bias, 3)  # far from where the flow begins
    settings = FlowSettings.model_validate({**STAGE, "depth": 2, "width": 8})
    stage = FlowStage(flow, cvae, lesson, settings)
    losses = [stage.step()["nats"].item() for _ in range(40)]
    assert sum(losses[-10:]) < sum(losses[:10])
    assert torch.equal(before, cvae.encoder.mean.weight)


def test_teacher_finds_the_noise_of_what_it_draws(cvae: CVAE, flow: Flow) -> None:
    teacher = Teacher(cvae.eval(), flow)
    one_hot, noise = torch.eye(10), torch.randn(10, 6)
    pixels = teacher.draw(noise, one_hot)
    latent = flow.inverse(noise, one_hot)
    assert torch.equal(pixels, cvae.decoder(latent, one_hot))
    mean, _ = cvae.encoder(pixels, one_hot)
    found = teacher.noise(pixels, one_hot, torch.zeros(10, 6))
    torch.testing.assert_close(flow.inverse(found, one_hot), mean, atol=1e-4, rtol=1e-4)
