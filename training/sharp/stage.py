"""A stage of the pipeline: runs its steps and saves its result in one file.

A run that was interrupted repeats the stage that it was in and skips completed stages.
"""

import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from training.console import LossBar
from training.fitting import Cycle, OneCycleOptimizer
from training.interrupt import Interrupted, StopSwitch
from training.snapshot import SnapshotError
from training.tensors import DamagedError, load_tensors, save_tensors

log = logging.getLogger(__name__)
LOG_EVERY = 1000  # steps


class Stage(Protocol):
    """A stage: its name, the number of its steps, and the module that it trains."""

    name: str
    steps: int

    @property
    def result(self) -> nn.Module:
        """The module that the stage trains."""
        ...

    def step(self) -> Mapping[str, Tensor]:
        """Run one step; the parts of its loss by name, scalars."""
        ...

    def finish(self) -> None:
        """Put the final weights into `result`."""
        ...


class EMAOptimizer(OneCycleOptimizer):
    """Keeps an exponential moving average of the weights, which are the module's in the end."""

    def __init__(self, module: nn.Module, cycle: Cycle, average: float) -> None:
        super().__init__(module, cycle)
        self._module = module
        self._averaged = AveragedModel(module, multi_avg_fn=get_ema_multi_avg_fn(average))  # type: ignore[no-untyped-call]

    def step(self, loss: Tensor) -> None:
        """Run one step on the scalar `loss`."""
        super().step(loss)
        self._averaged.update_parameters(self._module)

    def finish(self) -> None:
        """Put the averaged weights into the module."""
        self._module.load_state_dict(self._averaged.module.state_dict())


def run_stage(stage: Stage, path: Path, recipe: Mapping[str, object], switch: StopSwitch) -> None:
    """Run all steps and write the file at `path`; if it exists, load the result instead.

    Raises:
        Interrupted: a stop signal came; completed stages are saved.
        SnapshotError: the file is damaged or from another recipe.
    """
    if path.exists():
        stage.result.load_state_dict(_load(path, recipe))
        log.info("stage %s: complete, loaded from %s", stage.name, path)
        return
    started = time.monotonic()
    with LossBar(stage.name, stage.steps) as bar:
        for step in range(1, stage.steps + 1):
            parts = stage.step()
            if step % LOG_EVERY == 0 or step == stage.steps:
                log.info("stage %s  step %d/%d  %s", stage.name, step, stage.steps, _text(parts))
            if step % 10 == 0:
                bar.update(step, _text(parts))
            if switch.requested:
                raise Interrupted(
                    f"Stopped in stage {stage.name} after step {step}; "
                    "completed stages are saved, continue with --resume."
                )
    stage.finish()
    save_tensors(path, stage.result.state_dict(), {"recipe": json.dumps(recipe)})
    log.info("stage %s: complete after %.0f s", stage.name, time.monotonic() - started)


def _text(parts: Mapping[str, Tensor]) -> str:
    return "  ".join(f"{name} {part.item():.4g}" for name, part in parts.items())


def _load(path: Path, recipe: Mapping[str, object]) -> dict[str, Tensor]:
    try:
        weights, facts = load_tensors(path)
    except DamagedError as error:
        raise SnapshotError(
            f"The stage file {path} {error}; remove it and run the command again."
        ) from error
    found = json.loads(facts["recipe"])
    if found != recipe:
        raise SnapshotError(
            f"The stage file {path} is from another recipe: found {found}, expected "
            f"{dict(recipe)}; choose another --run-dir, or remove the file."
        )
    return weights
