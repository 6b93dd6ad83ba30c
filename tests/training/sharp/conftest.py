import pytest
import torch

from model.config import CVAEConfig
from model.cvae import CVAE, draw_weights
from tests.training.conftest import CPU, Mnist
from training.sharp.batches import Batches
from training.sharp.flow import Flow
from training.sharp.guide import Guide
from training.sharp.teacher import Teacher


@pytest.fixture
def batches(mnist: Mnist) -> Batches:
    """Batches of 50 digits of the slice, with noise for 6 latent dimensions."""
    return Batches(mnist[0], 50, 10, 6, torch.Generator().manual_seed(0), CPU)


@pytest.fixture
def student(tiny_config: CVAEConfig) -> CVAE:
    cvae = CVAE(tiny_config)
    cvae.initialise(torch.Generator().manual_seed(1))
    return cvae


@pytest.fixture
def flow() -> Flow:
    flow = Flow(latent=6, classes=10, depth=2, width=8)
    draw_weights(flow, torch.Generator().manual_seed(0))
    return flow


@pytest.fixture
def teacher(tiny_cvae: CVAE, flow: Flow) -> Teacher:
    return Teacher(tiny_cvae, flow)


@pytest.fixture
def guide() -> Guide:
    guide = Guide(side=28, classes=10, width=2)
    draw_weights(guide, torch.Generator().manual_seed(2))
    return guide
