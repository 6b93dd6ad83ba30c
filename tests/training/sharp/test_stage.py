import os
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from training.fitting import Cycle
from training.interrupt import Interrupted, StopSwitch
from training.sharp.stage import EMAOptimizer, run_stage
from training.snapshot import SnapshotError


class Halving:
    """Halves one weight in each step, from 8 on; counts its steps."""

    name = "halving"
    steps = 3

    def __init__(self) -> None:
        self.result = nn.Linear(1, 1, bias=False)
        nn.init.constant_(self.result.weight, 8)
        self.taken = 0

    def step(self) -> Mapping[str, Tensor]:
        self.taken += 1
        with torch.no_grad():
            self.result.weight /= 2
        return {"weight": self.result.weight.detach()}

    def finish(self) -> None:
        with torch.no_grad():
            self.result.weight += 10


def run(stage: Halving, path: Path, seed: int = 0, stop: bool = False) -> float:
    with StopSwitch() as switch:
        switch.requested = stop
        run_stage(stage, path, {"seed": seed}, switch)
    return stage.result.weight.item()


def test_stage_runs_its_steps_once_and_then_is_loaded_from_its_file(tmp_path: Path) -> None:
    first, again = Halving(), Halving()
    assert run(first, tmp_path / "stage") == run(again, tmp_path / "stage") == 11
    assert (first.taken, again.taken) == (3, 0)


def test_stopped_stage_writes_no_file_and_says_how_to_continue(tmp_path: Path) -> None:
    with pytest.raises(Interrupted, match=r"in stage halving after step 1; .* with --resume"):
        run(Halving(), tmp_path / "stage", stop=True)
    assert not list(tmp_path.iterdir())


def test_stage_file_of_another_recipe_raises(tmp_path: Path) -> None:
    run(Halving(), tmp_path / "stage")
    with pytest.raises(SnapshotError, match=r"from another recipe: found {'seed': 0}, expected"):
        run(Halving(), tmp_path / "stage", seed=1)


def test_truncated_stage_file_raises(tmp_path: Path) -> None:
    run(Halving(), tmp_path / "stage")
    os.truncate(tmp_path / "stage", (tmp_path / "stage").stat().st_size - 3)
    with pytest.raises(SnapshotError, match="is damaged"):
        run(Halving(), tmp_path / "stage")


def test_optimizer_lowers_the_loss_and_leaves_the_average() -> None:
    module = nn.Linear(1, 1, bias=False)
    nn.init.constant_(module.weight, 8)
    optimizer = EMAOptimizer(module, Cycle(200, 0.5, rise=0.1), average=0.9)
    losses = []
    for _ in range(200):
        loss = module.weight.square().sum()
        losses.append(loss.item())
        optimizer.step(loss)
    assert losses[-1] < 1e-3 * losses[0]
    last = module.weight.item()
    optimizer.finish()
    assert module.weight.item() != last
    assert abs(module.weight.item()) < 1
