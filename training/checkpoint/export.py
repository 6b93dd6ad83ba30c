"""Writes the network of a run, its metrics and its model card as a checkpoint folder."""

import json
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from model.checkpoint import (
    CARD,
    CONFIG,
    METRICS,
    SAMPLES,
    Checkpoint,
    Provenance,
    write_checkpoint,
)
from model.cvae import CVAE
from model.export import save_cvae
from training.checkpoint.card import model_card
from training.checkpoint.sheet import sample_sheet

LIBRARIES = ("torch", "torchvision", "lightning-fabric", "numpy", "onnx", "onnxruntime")


def export_checkpoint(
    folder: Path,
    cvae: CVAE,
    provenance: Provenance,
    metrics: Mapping[str, Any],
    device: torch.device,
    label_names: Sequence[str] | None = None,
) -> Checkpoint:
    """Write the checkpoint folder of a run, with metrics, sample sheet and model card.

    Args:
        folder: the target; an existing checkpoint there is replaced.
        cvae: the trained network.
        provenance: the origin of the checkpoint.
        metrics: what was measured.
        device: the device of the network.
        label_names: the names of the labels; None: their numbers.
    Raises:
        CheckpointError: see `save_cvae`.
    """
    names = label_names or tuple(map(str, range(cvae.config.classes)))
    documents = {
        METRICS: metrics_json(metrics),
        SAMPLES: sample_sheet(cvae, provenance.seed, device),
        CARD: model_card(cvae.config, provenance, metrics, names).encode(),
    }
    return save_cvae(folder, cvae, provenance, documents, names)


def rewrite_checkpoint(checkpoint: Checkpoint, changes: Mapping[str, bytes]) -> Checkpoint:
    """Write a checkpoint folder again, with these files instead of its own, or beside them.

    Args:
        checkpoint: as it was read.
        changes: the content of some files of `PAYLOAD` and `OPTIONAL`.
    Raises:
        CheckpointError: the files do not fit the checkpoint, or it has changed since it was read.
        OSError: writing failed; the old folder is unchanged.
    """
    manifest = checkpoint.manifest
    names = [name for name in manifest.sha256 if name != CONFIG and name not in changes]
    kept = {name: checkpoint.content(name) for name in names}
    return write_checkpoint(
        checkpoint.folder,
        checkpoint.config,
        manifest.provenance,
        {**kept, **changes},
        lambda _: None,
        manifest.label_names,
    )


def replace_metrics(checkpoint: Checkpoint, metrics: Mapping[str, Any]) -> Checkpoint:
    """Write a checkpoint folder again, with other metrics and their model card."""
    manifest = checkpoint.manifest
    card = model_card(checkpoint.config, manifest.provenance, metrics, manifest.label_names)
    return rewrite_checkpoint(checkpoint, {METRICS: metrics_json(metrics), CARD: card.encode()})


def metrics_json(metrics: Mapping[str, Any]) -> bytes:
    """The content of metrics.json."""
    return (json.dumps(metrics, indent=2) + "\n").encode()


def library_versions() -> dict[str, str]:
    """The versions of Python and the libraries by name, for the provenance."""
    found = {library: version(library) for library in LIBRARIES}
    return {"python": platform.python_version(), **found}
