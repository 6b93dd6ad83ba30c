import os
from pathlib import Path

import pytest
import safetensors.torch
import torch

from model.config import CVAEConfig
from model.cvae import CVAE
from training.snapshot import LossSum, Progress, SnapshotError, load_snapshot, save_snapshot

RECIPE: dict[str, object] = {"seed": 0, "hidden": [32]}


def network(config: CVAEConfig, seed: int) -> tuple[CVAE, torch.optim.Adam]:
    cvae = CVAE(config)
    cvae.initialise(torch.Generator().manual_seed(seed))
    return cvae, torch.optim.Adam(cvae.parameters(), lr=0.01)


@pytest.fixture
def saved(tiny_config: CVAEConfig, tmp_path: Path) -> Path:
    """A snapshot from before the first step."""
    save_snapshot(tmp_path / "snapshot", RECIPE, Progress(), *network(tiny_config, 1))
    return tmp_path / "snapshot"


def step(cvae: CVAE, optimizer: torch.optim.Adam) -> None:
    output = cvae.eval()(torch.ones(2, 28, 28), torch.eye(10)[:2])
    optimizer.zero_grad()
    (output.logits.square().mean() + output.log_variance.square().mean()).backward()
    optimizer.step()


def test_save_and_load_continues_exactly(tiny_config: CVAEConfig, tmp_path: Path) -> None:
    cvae, optimizer = network(tiny_config, 1)
    step(cvae, optimizer)
    progress = Progress(2, 5, 1.5, LossSum(10, 3.25, 0.1), [{"epoch": 1}])
    save_snapshot(tmp_path / "snapshot", RECIPE, progress, cvae, optimizer)

    other, other_optimizer = network(tiny_config, 2)
    assert load_snapshot(tmp_path / "snapshot", RECIPE, other, other_optimizer) == progress
    step(cvae, optimizer)
    step(other, other_optimizer)
    for name, weight in cvae.state_dict().items():
        assert torch.equal(weight, other.state_dict()[name]), name


def test_load_before_the_first_step_leaves_the_optimizer_empty(
    tiny_config: CVAEConfig, saved: Path
) -> None:
    cvae, optimizer = network(tiny_config, 1)
    assert load_snapshot(saved, RECIPE, cvae, optimizer) == Progress()
    assert not optimizer.state


@pytest.mark.parametrize("size", [None, 0, 4, 1000])
def test_load_missing_or_truncated_snapshot_raises(
    tiny_config: CVAEConfig, saved: Path, size: int | None
) -> None:
    if size is None:
        saved.unlink()
    else:
        os.truncate(saved, size)
    sentence = "is damaged" if saved.exists() else "^There is nothing to resume: .* does not exist"
    with pytest.raises(SnapshotError, match=sentence):
        load_snapshot(saved, RECIPE, *network(tiny_config, 1))


def test_changed_byte_anywhere_is_noticed(tiny_config: CVAEConfig, saved: Path) -> None:
    content = saved.read_bytes()
    for place in (20, len(content) // 4, len(content) // 2, len(content) - 1):
        changed = bytearray(content)
        changed[place] ^= 1
        saved.write_bytes(changed)
        with pytest.raises(SnapshotError, match=r"^The snapshot .* is damaged"):
            load_snapshot(saved, RECIPE, *network(tiny_config, 1))


def test_safetensors_file_of_somebody_else_is_no_snapshot(
    tiny_config: CVAEConfig, saved: Path
) -> None:
    safetensors.torch.save_file({"a": torch.zeros(1)}, saved)
    with pytest.raises(SnapshotError, match="has no checksum, so this release has not written it"):
        load_snapshot(saved, RECIPE, *network(tiny_config, 1))


def test_load_snapshot_of_another_recipe_raises(tiny_config: CVAEConfig, saved: Path) -> None:
    with pytest.raises(SnapshotError, match="was started with --seed 0 and cannot be resumed with"):
        load_snapshot(saved, {**RECIPE, "seed": 5}, *network(tiny_config, 1))


def test_loss_sum_is_the_mean_over_images() -> None:
    total = LossSum(images=1, reconstruction_nll=10.0, kl=1.0)
    total.add(3, 2.0, 3.0)
    assert total.mean() == {"negative_elbo": 4.0, "reconstruction_nll": 3.0, "kl": 1.0}
