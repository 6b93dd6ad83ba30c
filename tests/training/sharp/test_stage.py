import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from training.interrupt import Interrupted, StopSwitch
from training.sharp.stage import Descent, run_stage
from training.snapshot import SnapshotError


class Halving:
    """Brings one weight from 8 towards 0; counts its steps."""

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


def test_stage_takes_its_steps_and_finishes(tmp_path: Path) -> None:
    assert run(Halving(), tmp_path / "stage") == 11


def test_stage_that_is_done_is_taken_from_its_file(tmp_path: Path) -> None:
    run(Halving(), tmp_path / "stage")
    again = Halving()
    assert run(again, tmp_path / "stage") == 11
    assert again.taken == 0


def test_stage_stopped_leaves_no_file_and_says_how_to_go_on(tmp_path: Path) -> None:
    with pytest.raises(Interrupted, match=r"in stage halving after step 1; .* with --resume"):
        run(Halving(), tmp_path / "stage", stop=True)
    assert not list(tmp_path.iterdir())


def test_stage_of_another_recipe_raises(tmp_path: Path) -> None:
    run(Halving(), tmp_path / "stage")
    with pytest.raises(SnapshotError, match=r"made by another recipe \({'seed': 0}\)"):
        run(Halving(), tmp_path / "stage", seed=1)


def test_stage_file_truncated_raises(tmp_path: Path) -> None:
    run(Halving(), tmp_path / "stage")
    shutil.copy(tmp_path / "stage", tmp_path / "whole")
    (tmp_path / "stage").write_bytes((tmp_path / "whole").read_bytes()[:-3])
    with pytest.raises(SnapshotError, match="is damaged"):
        run(Halving(), tmp_path / "stage")


def test_descent_falls_and_leaves_the_average() -> None:
    module = nn.Linear(1, 1, bias=False)
    nn.init.constant_(module.weight, 8)
    descent = Descent(module, learning_rate=0.5, steps=200, average=0.9)
    losses = []
    for _ in range(200):
        loss = module.weight.square().sum()
        losses.append(loss.item())
        descent.descend(loss)
    assert losses[-1] < 1e-3 * losses[0]
    last = module.weight.item()
    descent.finish()
    assert module.weight.item() != last
    assert abs(module.weight.item()) < 1
