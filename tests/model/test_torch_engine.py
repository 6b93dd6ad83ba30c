import torch

from model.checkpoint import Checkpoint
from model.cvae import CVAE
from model.torch_engine import load_cvae


def test_load_cvae_is_bit_equal_and_in_evaluation_mode(
    tiny_checkpoint: Checkpoint, tiny_cvae: CVAE
) -> None:
    loaded = load_cvae(tiny_checkpoint)
    assert not loaded.training
    for name, weight in tiny_cvae.state_dict().items():
        assert torch.equal(weight, loaded.state_dict()[name]), name
