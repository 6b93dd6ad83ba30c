"""The snapshot of a run: all that it needs to continue exactly, in one file with a checksum.

The tensors are the weights and Adam's moments; the progress is JSON in the metadata of the file.
There is no random state: random generators are keyed by (seed, epoch, step), see
`training.randomness`.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from model.cvae import CVAE
from training.config import option
from training.tensors import DamagedError, load_tensors, save_tensors


class SnapshotError(Exception):
    """A run cannot start or continue in its folder; the message is one full sentence."""


@dataclass
class LossSum:
    """Sums of the parts of the loss over images, in nats."""

    images: int = 0
    reconstruction_nll: float = 0.0
    kl: float = 0.0

    def add(self, images: int, reconstruction_nll: float, kl: float) -> None:
        """Add the sums of a batch."""
        self.images += images
        self.reconstruction_nll += reconstruction_nll
        self.kl += kl

    def mean(self) -> dict[str, float]:
        """The average per image: negative_elbo and its parts, in nats."""
        nll, kl = self.reconstruction_nll / self.images, self.kl / self.images
        return {"negative_elbo": nll + kl, "reconstruction_nll": nll, "kl": kl}


@dataclass
class Progress:
    """The progress of a run."""

    epoch: int = 0  # completed epochs
    step: int = 0  # completed steps of the current epoch
    epoch_seconds: float = 0.0  # spent in the current epoch
    loss: LossSum = field(default_factory=LossSum)  # of the current epoch
    history: list[dict[str, Any]] = field(default_factory=list)  # one entry per completed epoch


def run_exists(run_dir: Path) -> SnapshotError:
    """The error of a new run in the folder of another one."""
    return SnapshotError(
        f"The folder {run_dir} already holds a run; continue it with --resume, choose another "
        "--run-dir, or remove the folder to start again."
    )


def save_snapshot(
    path: Path,
    recipe: dict[str, object],
    progress: Progress,
    cvae: CVAE,
    optimizer: torch.optim.Adam,
) -> None:
    """Write a snapshot atomically.

    Raises:
        OSError: writing failed; the previous snapshot is unchanged.
    """
    tensors = {f"weights/{name}": weight for name, weight in cvae.state_dict().items()}
    for name, parameter in cvae.named_parameters():
        for key, value in optimizer.state.get(parameter, {}).items():
            tensors[f"adam/{name}/{key}"] = value
    counters = {"recipe": json.dumps(recipe), "progress": json.dumps(asdict(progress))}
    save_tensors(path, tensors, counters)


def load_snapshot(
    path: Path, recipe: dict[str, object], cvae: CVAE, optimizer: torch.optim.Adam
) -> Progress:
    """Load a snapshot's weights and moments into `cvae` and `optimizer`; return its progress.

    Raises:
        SnapshotError: there is no snapshot, or it is damaged or from a run with another recipe.
    """
    tensors, counters = _read(path)
    _check_recipe(path, json.loads(counters["recipe"]), recipe)
    cvae.load_state_dict(
        {name: tensors[f"weights/{name}"] for name in cvae.state_dict()}, strict=True
    )
    for name, parameter in cvae.named_parameters():
        moments = {
            key: tensors[f"adam/{name}/{key}"]
            for key in ("step", "exp_avg", "exp_avg_sq")
            if f"adam/{name}/{key}" in tensors
        }
        if moments:
            optimizer.state[parameter] = moments
    fields = json.loads(counters["progress"])
    return Progress(**{**fields, "loss": LossSum(**fields["loss"])})


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    if not path.is_file():
        raise SnapshotError(
            f"There is nothing to resume: {path} does not exist; start the run without --resume, "
            "or pass the --run-dir of an interrupted run."
        )
    try:
        return load_tensors(path)
    except DamagedError as error:
        raise SnapshotError(
            f"The snapshot {path} {error}; remove it and start the run again."
        ) from error


def _check_recipe(path: Path, found: dict[str, object], wanted: dict[str, object]) -> None:
    for name, value in wanted.items():
        if found.get(name) != value:
            raise SnapshotError(
                f"The run in {path.parent} was started with {option(name)} {found.get(name)} and "
                f"cannot be resumed with {value}; pass the same value, or another --run-dir."
            )
