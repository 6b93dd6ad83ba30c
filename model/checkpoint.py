"""The checkpoint folder: written atomically, read strictly, verified by hash. Needs no torch.

config.json         architecture, label names, value range, provenance, sha256 of every file
model.safetensors   all weights, float32
decoder.onnx        (noise [N, Z], one_hot [N, K]) -> pixels [N, H, W] in [0, 1]
encoder.onnx        (pixels [N, H, W], one_hot [N, K]) -> noise [N, Z], the posterior mean
metrics.json        the measurements of evaluation, with the settings that reproduce them
samples.png         10 x 10 samples, column = label
README.md           the model card

Optional, the decoder with weights rounded to 8 bits:
decoder.int8.safetensors  its weights and scales, see model/quantization.py
decoder.int8.onnx         its graph
reader.safetensors, finder.onnx, classifier.onnx  read photos, see model/reading/reader.py

The graphs contain no weights: they refer to the safetensors files.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from model.alphabet import Alphabet, check_names
from model.atomic import exchange, sync_folder, write_synced
from model.config import CVAEConfig
from model.content import (
    CheckpointError,
    check_weights,
    damaged,
    one_line,
    parse_object,
    read_content,
)

__all__ = ["CheckpointError"]  # is imported from here, beside what is defined here

FORMAT_VERSION = 1
CONFIG = "config.json"
WEIGHTS = "model.safetensors"
DECODER = "decoder.onnx"
ENCODER = "encoder.onnx"
METRICS = "metrics.json"
SAMPLES = "samples.png"
CARD = "README.md"
ROUNDED_DECODER = "decoder.int8.onnx"
ROUNDED_WEIGHTS = "decoder.int8.safetensors"
READER = READER_WEIGHTS, FINDER, CLASSIFIER = "reader.safetensors", "finder.onnx", "classifier.onnx"
PAYLOAD = (WEIGHTS, DECODER, ENCODER, METRICS, SAMPLES, CARD)  # every file but config.json
OPTIONAL = (ROUNDED_WEIGHTS, ROUNDED_DECODER, *READER)  # verified if config.json names them
NETWORKS = (WEIGHTS, DECODER, ENCODER, *OPTIONAL)  # what decides a picture, at any precision
PRETRAINED = Path(__file__).parent / "pretrained"


class Provenance(BaseModel):
    """The origin of a checkpoint: everything that is needed to train it again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_set: str  # its name, such as "MNIST"
    train_images: int
    test_images: int
    seed: int
    epochs: int
    batch_size: int
    optimizer: str
    learning_rate: float
    objective: str
    versions: dict[str, str]  # library -> version
    recipe: dict[str, Any] = {}  # the settings of each stage, if training has several
    data_subject: str = ""  # what the model draws, such as "handwritten digits"
    data_about: str = ""  # where the pictures are from; Markdown


class Manifest(BaseModel):
    """The content of config.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: int
    architecture: CVAEConfig
    label_names: tuple[str, ...]
    value_range: tuple[float, float]
    provenance: Provenance
    sha256: dict[str, str]  # file name -> hex digest; see _manifest_digest for config.json

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        check_names(self.label_names, self.architecture.classes)
        return self

    @property
    def alphabet(self) -> Alphabet:
        """What the model can write."""
        return Alphabet(self.label_names if self.architecture.conditional else ())


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint folder that was read and verified."""

    folder: Path
    manifest: Manifest
    metrics: dict[str, Any]

    @property
    def config(self) -> CVAEConfig:
        """The architecture."""
        return self.manifest.architecture

    @property
    def model_hash(self) -> str:
        """16 hex digits that identify the model: a digest of every file that decides a picture."""
        digests = self.manifest.sha256
        lines = [f"{digests[name]} {name}\n" for name in sorted(NETWORKS) if name in digests]
        return sha256("".join(lines).encode())[:16]

    def content(self, name: str) -> bytes:
        """The content of one file, verified again.

        Raises:
            CheckpointError: the file has changed since the checkpoint was read.
        """
        content = read_content(self.folder, name)
        _check_hash(name, sha256(content), self.manifest.sha256[name])
        return content


def sha256(content: bytes) -> str:
    """The SHA-256 of `content` as 64 hex digits."""
    return hashlib.sha256(content).hexdigest()


def write_checkpoint(
    folder: Path,
    architecture: CVAEConfig,
    provenance: Provenance,
    files: Mapping[str, bytes],
    verify: Callable[[Checkpoint], None],
    label_names: Sequence[str] | None = None,
) -> Checkpoint:
    """Write a checkpoint folder atomically: at any moment `folder` is the old one or the new one.

    The new folder is written beside the target, read back strictly, passed to `verify`, and only
    then moved to its place.

    Args:
        folder: the target; an existing checkpoint there is replaced.
        architecture: fixes the shapes of the weights.
        provenance: the origin of the checkpoint.
        files: the content of every file of `PAYLOAD`, and of any of `OPTIONAL`.
        verify: raises if the new checkpoint must not replace the old one.
        label_names: of the labels 0 .. K - 1; None: their numbers.
    Raises:
        CheckpointError: the files are incomplete or do not fit the architecture.
        OSError: writing failed; the old folder is unchanged.
    """
    folder = folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    check_replaceable(folder)
    content = {**files, CONFIG: _manifest_json(architecture, provenance, files, label_names)}
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        fresh.chmod(0o755)
        for name, data in content.items():
            write_synced(fresh / name, data)
        sync_folder(fresh)
        checkpoint = read_checkpoint(fresh)
        verify(checkpoint)
        exchange(fresh, folder)
        sync_folder(folder.parent)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)  # the replaced folder, or the new one that failed
    return replace(checkpoint, folder=folder)


def check_replaceable(folder: Path) -> None:
    """See that a checkpoint may take the place of a folder.

    Raises:
        CheckpointError: it is a file, or a folder of something else.
    """
    if not folder.exists() or all((folder / name).is_file() for name in (CONFIG, DECODER)):
        return  # other models have a config.json too
    if not folder.is_dir() or any(folder.iterdir()):
        raise CheckpointError(
            f"{folder} is neither an empty folder nor a checkpoint, so it is not replaced; "
            "choose another folder or remove this one."
        )


def read_manifest(folder: Path) -> Manifest:
    """What a checkpoint folder says of itself; its other files are not read.

    Raises:
        CheckpointError: the folder does not exist, or its config.json cannot be used.
    """
    if not os.path.isdir(folder):  # False also for a path that no system call takes
        raise CheckpointError(
            f"The checkpoint folder {folder} does not exist; "
            "train one with `python -m training`, or set CVAE_CHECKPOINT to an existing one."
        )
    return _parse_manifest(read_content(folder, CONFIG))


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read a checkpoint folder and verify every file of it.

    Raises:
        CheckpointError: the folder does not exist, or a file is missing, damaged or unsuitable.
    """
    manifest = read_manifest(folder)
    metrics: dict[str, Any] = {}
    for name in (*PAYLOAD, *(name for name in OPTIONAL if name in manifest.sha256)):
        content = read_content(folder, name)
        _check_hash(name, sha256(content), manifest.sha256.get(name, "none"))
        if name == WEIGHTS:
            check_weights(WEIGHTS, content, manifest.architecture.weight_shapes())
        if name == METRICS:
            metrics = parse_object(METRICS, content)
    return Checkpoint(folder=folder, manifest=manifest, metrics=metrics)


def _manifest_json(
    architecture: CVAEConfig,
    provenance: Provenance,
    files: Mapping[str, bytes],
    label_names: Sequence[str] | None,
) -> bytes:
    if unknown := sorted(set(files) - {*PAYLOAD, *OPTIONAL}):
        raise CheckpointError(f"A checkpoint has no place for {unknown}; leave them out.")
    if missing := sorted(set(PAYLOAD) - set(files)):
        raise CheckpointError(f"A checkpoint needs {', '.join(PAYLOAD)}; missing: {missing}.")
    names = map(str, range(architecture.classes)) if label_names is None else label_names
    try:
        manifest = Manifest(
            format_version=FORMAT_VERSION,
            architecture=architecture,
            label_names=tuple(names),
            value_range=(0.0, 1.0),
            provenance=provenance,
            sha256={name: sha256(content) for name, content in files.items()},
        )
    except ValidationError as error:
        raise _unsuitable(error) from error
    document = manifest.model_dump(mode="json")
    document["sha256"][CONFIG] = _manifest_digest(document)
    return (json.dumps(document, indent=2) + "\n").encode()


def _manifest_digest(document: Mapping[str, Any]) -> str:
    """The hash of config.json in canonical form, without the entry for this hash itself."""
    digests = {name: digest for name, digest in document["sha256"].items() if name != CONFIG}
    bare = {**document, "sha256": digests}
    return sha256(json.dumps(bare, sort_keys=True, separators=(",", ":")).encode())


def _parse_manifest(content: bytes) -> Manifest:
    document = parse_object(CONFIG, content)
    try:
        version = document["format_version"]
        digest = document["sha256"][CONFIG]
        found = _manifest_digest(document)
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(CONFIG, "no manifest", "JSON of this format") from error
    if version != FORMAT_VERSION:
        raise CheckpointError(
            f"The checkpoint file {CONFIG} cannot be used: found format version "
            f"{one_line(version)}, expected {FORMAT_VERSION}; train it again with this release of "
            "cvae-digits, or install the release that wrote it."
        )
    _check_hash(CONFIG, found, str(digest))
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        raise _unsuitable(error) from error


def _unsuitable(error: ValidationError) -> CheckpointError:
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"]) or "the document"
    return damaged(CONFIG, f"{field}: {first['msg']}", "the fields of this format")


def _check_hash(name: str, found: str, expected: str) -> None:
    if found != expected:
        raise damaged(name, f"sha256 {found[:16]}", f"{expected[:16]} according to {CONFIG}")
