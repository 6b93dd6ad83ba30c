"""Starts a run on its processes, devices and hosts: by its options, or under torchrun."""

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

import torch.distributed
from lightning_fabric import Fabric
from torch.distributed import PrefixStore, TCPStore  # type: ignore[attr-defined]

from training.config import TrainingConfig


class LaunchError(Exception):
    """The processes of a run cannot work together; the message is one full sentence."""


@dataclass(frozen=True)
class Torchrun:
    """What torchrun tells each process that it starts."""

    processes: int  # of the whole run
    local_processes: int  # on this host
    restarts: int  # number of times that all were restarted because one was lost

    @classmethod
    def read(cls) -> Self | None:
        """Read from the environment; None if torchrun did not start this process."""
        if not torch.distributed.is_torchelastic_launched():
            return None
        names = ("WORLD_SIZE", "LOCAL_WORLD_SIZE", "TORCHELASTIC_RESTART_COUNT")
        return cls(*(int(os.environ[name]) for name in names))


def launch(config: TrainingConfig) -> tuple[Fabric, bool]:
    """Join the processes of the run; also returns whether torchrun has started them again.

    Raises:
        LaunchError: the options contradict torchrun, or the preset runs in one process only.
    """
    torchrun = Torchrun.read()
    devices, hosts = config.devices, 1
    if torchrun:
        _refuse_contradiction(config, torchrun)
        devices = torchrun.local_processes
        hosts = torchrun.processes // devices
        if torchrun.restarts:
            _join_again(torchrun)
    fabric = Fabric(
        accelerator=config.accelerator,
        devices=devices,
        num_nodes=hosts,
        precision=config.precision,
    )
    fabric.launch()
    return fabric, torchrun is not None and torchrun.restarts > 0


@contextmanager
def name_lost_process(fabric: Fabric) -> Iterator[None]:
    """While entered, errors caused by the loss of another process become a `LaunchError`.

    Raises:
        LaunchError: another process of the run was lost.
    """
    try:
        yield
    except RuntimeError as error:
        from_peer = isinstance(error, torch.distributed.DistError) or "gloo" in str(error)
        if fabric.world_size == 1 or not from_peer:
            raise
        raise LaunchError(
            f"Another of the {fabric.world_size} processes of this run was lost, so this one ends "
            "too; continue with --resume, or start the run with `torchrun --max-restarts 3`, which "
            "resumes it automatically."
        ) from error


def _join_again(torchrun: Torchrun) -> None:
    """Join the processes after a restart; Fabric then finds them joined.

    torchrun keeps its store over a restart, with the addresses of processes that no longer exist,
    and the first process to join would read those. A prefix for each restart separates them.
    """
    address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    store = TCPStore(address, port, is_master=False)
    torch.distributed.init_process_group(
        store=PrefixStore(f"restart {torchrun.restarts}", store),
        rank=int(os.environ["RANK"]),
        world_size=torchrun.processes,
    )
    atexit.register(torch.distributed.destroy_process_group)


def _refuse_contradiction(config: TrainingConfig, torchrun: Torchrun) -> None:
    if config.preset != "article" and torchrun.processes > 1:
        raise LaunchError(
            f"The preset {config.preset} trains in one process, but torchrun started "
            f"{torchrun.processes}; start it with `python -m training`, or with "
            "--nproc-per-node 1."
        )
    if "devices" in config.model_fields_set:
        raise LaunchError(
            f"The option --devices {config.devices} was given, but torchrun sets the number of "
            f"processes ({torchrun.processes}); leave the option out."
        )
