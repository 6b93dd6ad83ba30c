import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from model import checkpoint as format_
from model.checkpoint import (
    CARD,
    CONFIG,
    METRICS,
    NETWORKS,
    PAYLOAD,
    PRETRAINED,
    ROUNDED_DECODER,
    ROUNDED_WEIGHTS,
    SAMPLES,
    WEIGHTS,
    Checkpoint,
    CheckpointError,
    Provenance,
    read_checkpoint,
    write_checkpoint,
)

FILES = (*PAYLOAD, ROUNDED_WEIGHTS, ROUNDED_DECODER)
Write = Callable[..., Checkpoint]


@pytest.fixture
def folder(tiny_checkpoint: Checkpoint, tmp_path: Path) -> Path:
    """A copy of the tiny checkpoint, to damage."""
    return Path(shutil.copytree(tiny_checkpoint.folder, tmp_path / "checkpoint"))


@pytest.fixture
def write(tiny_checkpoint: Checkpoint, provenance: Provenance) -> Write:
    """Writes a folder with the files of the tiny checkpoint, some changed, or left out if None."""

    def write(
        folder: Path,
        changes: dict[str, bytes | None] | None = None,
        verify: Callable[[Checkpoint], None] = lambda _: None,
    ) -> Checkpoint:
        files = {**contents(tiny_checkpoint.folder), **(changes or {})}
        kept = {name: data for name, data in files.items() if data is not None}
        return write_checkpoint(folder, tiny_checkpoint.config, provenance, kept, verify)

    return write


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES}


def sign(folder: Path, digests: dict[str, str], **changes: object) -> None:
    """Change config.json and its digest, like somebody who edits a checkpoint by hand."""
    document = {**json.loads((folder / CONFIG).read_text()), **changes}
    document["sha256"].update(digests)
    document["sha256"][CONFIG] = format_._manifest_digest(document)
    (folder / CONFIG).write_text(json.dumps(document))


def replace(folder: Path, name: str, data: bytes) -> None:
    """Replace a file and its digest."""
    (folder / name).write_bytes(data)
    sign(folder, {name: format_.sha256(data)})


def refusal(folder: Path) -> str:
    """The sentence with which a folder is refused."""
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(folder)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def test_write_and_read_returns_the_same_bytes(
    tiny_checkpoint: Checkpoint, write: Write, tmp_path: Path
) -> None:
    verified: list[Checkpoint] = []
    copy = write(tmp_path / "copy", verify=verified.append)
    assert contents(copy.folder) == contents(tiny_checkpoint.folder)
    assert copy.manifest == tiny_checkpoint.manifest
    assert copy.model_hash == tiny_checkpoint.model_hash == verified[0].model_hash
    assert copy.metrics == {"unit": "nats"}


@pytest.mark.parametrize("name", FILES)
def test_model_hash_covers_every_file_that_decides_a_picture(folder: Path, name: str) -> None:
    before = read_checkpoint(folder).model_hash
    document = json.loads((folder / CONFIG).read_text())
    digests = {**document["sha256"], name: "0" * 64}
    manifest = read_checkpoint(folder).manifest.model_copy(update={"sha256": digests})
    changed = Checkpoint(folder, manifest, {}).model_hash != before
    assert changed == (name in NETWORKS) == (name not in (METRICS, SAMPLES, CARD))


def test_bundled_checkpoint_is_valid_small_and_better_than_its_baseline() -> None:
    checkpoint = read_checkpoint(PRETRAINED)
    assert checkpoint.manifest.provenance.train_images == 60_000
    measured = checkpoint.metrics["evaluation"]
    for metric in ("cas", "label_agreement", "precision", "recall"):
        assert measured["samples"][metric] > measured["baseline"][metric], metric
    assert sum(path.stat().st_size for path in PRETRAINED.iterdir()) < 10_000_000


def test_write_replaces_a_checkpoint_and_leaves_nothing_else(folder: Path, write: Write) -> None:
    write(folder, {METRICS: b'{"new": true}'})
    assert read_checkpoint(folder).metrics == {"new": True}
    assert list(folder.parent.iterdir()) == [folder]


def test_write_refused_by_verify_keeps_the_old_checkpoint(folder: Path, write: Write) -> None:
    def refuse(_: Checkpoint) -> None:
        raise CheckpointError("no")

    before = contents(folder)
    with pytest.raises(CheckpointError, match="no"):
        write(folder, {METRICS: b"{}"}, refuse)
    assert contents(folder) == before
    assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [({WEIGHTS: None}, "missing: .*model.safe"), ({"a.txt": b""}, "no place for .*a.txt")],
)
def test_write_missing_or_unknown_file_raises(
    write: Write, tmp_path: Path, changes: dict[str, bytes | None], sentence: str
) -> None:
    with pytest.raises(CheckpointError, match=sentence):
        write(tmp_path / "new", changes)


def test_write_without_rounded_decoder_is_allowed(write: Write, tmp_path: Path) -> None:
    copy = write(tmp_path / "copy", {ROUNDED_DECODER: None, ROUNDED_WEIGHTS: None})
    assert ROUNDED_DECODER not in copy.manifest.sha256


@pytest.mark.parametrize("names", [["thesis.txt"], ["config.json", "model.safetensors"]])
def test_write_over_a_folder_of_other_files_raises(
    write: Write, tmp_path: Path, names: list[str]
) -> None:
    """Models of other programs have a config.json too."""
    for name in names:
        (tmp_path / name).write_text("precious")
    with pytest.raises(CheckpointError, match="neither an empty folder nor a checkpoint"):
        write(tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys(
        names, "precious"
    )


def test_read_missing_folder_raises(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none") == (
        f"The checkpoint folder {tmp_path / 'none'} does not exist; train one with "
        "`python -m training`, or set CVAE_CHECKPOINT to an existing one."
    )


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def replace_by_link(path: Path) -> None:
    target = path.parent.parent / "elsewhere"
    path.rename(target)
    path.symlink_to(target)


def flip_bit(place: float) -> Callable[[Path], None]:
    def flip(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[int(len(data) * place)] ^= 1
        path.write_bytes(data)

    return flip


@pytest.mark.parametrize("name", [CONFIG, *FILES])
@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (Path.unlink, ": found no such file"),
        (replace_by_link, ": found a symbolic link"),
        (truncate, ""),
        *((flip_bit(place), "") for place in (0.1, 0.5, 0.9)),
    ],
    ids=["missing", "link", "truncated", "bit at 0.1", "bit at 0.5", "bit at 0.9"],
)
def test_read_damaged_file_raises(
    folder: Path, name: str, damage: Callable[[Path], None], found: str
) -> None:
    damage(folder / name)
    assert f"{name} cannot be used{found}" in refusal(folder)


def replace_by_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def extend(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(2**40)  # takes no room on the disk


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS, METRICS, ROUNDED_DECODER])
@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (replace_by_pipe, "something else than a file"),
        (replace_by_folder, "something else than a file"),
        (extend, "1099511627776 bytes, expected at most"),
    ],
)
def test_read_what_would_block_or_fill_the_memory_raises(
    folder: Path, name: str, damage: Callable[[Path], None], found: str
) -> None:
    damage(folder / name)
    assert f"{name} cannot be used: found {found}" in refusal(folder)


@pytest.mark.parametrize(
    "text",
    ["[" * 200_000, '{"a": NaN}', '{"a": 1e999}', '{"a":' * 200_000, "1" * 5000, "[]", "\xff"],
)
@pytest.mark.parametrize("name", [CONFIG, METRICS])
def test_read_hostile_json_raises(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, "latin-1")
    if name != CONFIG:
        replace(folder, name, text.encode("latin-1"))
    assert len(refusal(folder)) < 1000


def test_metrics_that_are_nested_deeply_are_refused(folder: Path) -> None:
    """Else the model card could not be written."""
    replace(folder, METRICS, b'{"a":' * 3000 + b"1" + b"}" * 3000)
    assert "metrics.json cannot be used: found no JSON (recursion limit" in refusal(folder)


@pytest.mark.parametrize("digest", [1, None, ["a"], {"a": 1}, "x" * 10_000])
def test_read_manifest_with_another_kind_of_hash_raises(folder: Path, digest: object) -> None:
    document = json.loads((folder / CONFIG).read_text())
    document["sha256"][CONFIG] = digest
    (folder / CONFIG).write_text(json.dumps(document))
    assert "config.json cannot be used: found sha256" in refusal(folder)


@pytest.mark.parametrize("path", ["a" * 5000, "a/" * 3000, "a\0b"])
def test_read_path_that_no_system_call_takes_raises(path: str) -> None:
    with pytest.raises(CheckpointError, match="does not exist; train one"):
        read_checkpoint(Path(path))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"format_version": 2}, "found format version 2, expected 1"),
        ({"colour": "red"}, "found colour: Extra inputs are not permitted"),
    ],
)
def test_read_other_format_or_field_raises(
    folder: Path, change: dict[str, object], found: str
) -> None:
    sign(folder, {}, **change)
    assert found in refusal(folder)


BIAS = "encoder.mean.bias"


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({BIAS: np.full(6, np.nan, np.float32)}, f"found NaN or infinity in {BIAS}"),
        ({BIAS: np.zeros((6, 1), np.float32)}, f"found {BIAS} of shape (6, 1)"),
        ({BIAS: np.zeros(6, np.float16)}, f"found {BIAS} of shape (6,) and type float16"),
        ({BIAS: None}, f"found other names ({BIAS})"),
        ({"decoder.extra": np.zeros(1, np.float32)}, "found other names (decoder.extra)"),
    ],
)
def test_read_signed_but_unsuitable_weights_raises(
    folder: Path, changes: dict[str, np.ndarray | None], found: str
) -> None:
    weights = {**safetensors.numpy.load((folder / WEIGHTS).read_bytes()), **changes}
    kept = {name: weight for name, weight in weights.items() if weight is not None}
    replace(folder, WEIGHTS, safetensors.numpy.save(kept))
    assert found in refusal(folder)


@pytest.mark.parametrize(
    ("name", "found"), [(WEIGHTS, "found invalid data"), (METRICS, "found no JSON (")]
)
def test_read_signed_but_unreadable_file_raises(folder: Path, name: str, found: str) -> None:
    replace(folder, name, b"{")
    assert f"{name} cannot be used: {found}" in refusal(folder)
