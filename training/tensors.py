"""A safetensors file of a run, with a checksum of everything that it holds."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from model.atomic import replace_file

CHECKSUM = "sha256"


class DamagedError(Exception):
    """A file is not what was written; the message is the rest of a sentence about it."""


def save_tensors(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, str]) -> None:
    """Write tensors and facts about them atomically.

    Raises:
        OSError: writing failed; the previous file is unchanged.
    """
    kept = {name: tensor.contiguous() for name, tensor in tensors.items()}
    checked = {**facts, CHECKSUM: _checksum(kept, facts)}
    replace_file(path, safetensors.torch.save(kept, checked))


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors and the facts of a file.

    Raises:
        DamagedError: the file is damaged, or was not written by `save_tensors`.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            facts = dict(file.metadata() or {})
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise DamagedError(f"is damaged ({error})") from error
    expected = facts.pop(CHECKSUM, None)
    if expected is None:
        raise DamagedError("has no checksum, so this release has not written it")
    if _checksum(tensors, facts) != expected:
        raise DamagedError("is damaged (its checksum is another one)")
    return tensors, facts


def _checksum(tensors: Mapping[str, Tensor], facts: Mapping[str, str]) -> str:
    """The SHA-256 of all names, types, shapes, bytes and facts, in order of their names."""
    digest = hashlib.sha256(json.dumps(dict(facts), sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
