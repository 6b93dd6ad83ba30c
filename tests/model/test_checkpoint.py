import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from model import checkpoint as format_
from model.checkpoint import (
    CONFIG,
    METRICS,
    PAYLOAD,
    PRETRAINED,
    ROUNDED_DECODER,
    ROUNDED_WEIGHTS,
    WEIGHTS,
    Checkpoint,
    CheckpointError,
    Provenance,
    read_checkpoint,
    write_checkpoint,
)

FILES = (*PAYLOAD, ROUNDED_WEIGHTS, ROUNDED_DECODER)


@pytest.fixture
def folder(tiny_checkpoint: Checkpoint, tmp_path: Path) -> Path:
    """A copy of the tiny checkpoint, to damage."""
    return Path(shutil.copytree(tiny_checkpoint.folder, tmp_path / "checkpoint"))


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES}


def rewrite(folder: Path, name: str, data: bytes) -> None:
    """Replace a file and sign it, as somebody does who edits a checkpoint by hand."""
    (folder / name).write_bytes(data)
    resign(folder, {name: format_.sha256(data)})


def resign(folder: Path, digests: dict[str, str], **changes: object) -> None:
    document = {**json.loads((folder / CONFIG).read_text()), **changes}
    document["sha256"].update(digests)
    document["sha256"][CONFIG] = format_._manifest_digest(document)
    (folder / CONFIG).write_text(json.dumps(document))


def refused(folder: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(folder)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def test_round_trip_is_bit_equal(
    tiny_checkpoint: Checkpoint, provenance: Provenance, tmp_path: Path
) -> None:
    files = contents(tiny_checkpoint.folder)
    seen: list[Checkpoint] = []
    copy = write_checkpoint(
        tmp_path / "copy", tiny_checkpoint.config, provenance, files, seen.append
    )
    assert contents(copy.folder) == files
    assert copy.manifest == tiny_checkpoint.manifest
    assert copy.model_hash == tiny_checkpoint.model_hash == seen[0].model_hash
    assert copy.metrics == {"unit": "nats"}


def test_the_checkpoint_that_ships_is_whole() -> None:
    checkpoint = read_checkpoint(PRETRAINED)
    assert checkpoint.manifest.provenance.train_images == 60_000
    measured = checkpoint.metrics["evaluation"]
    for metric in ("cas", "label_agreement", "precision", "recall"):
        assert measured["samples"][metric] > measured["baseline"][metric], metric
    assert sum(path.stat().st_size for path in PRETRAINED.iterdir()) < 10_000_000


def test_write_replaces_an_old_checkpoint_and_leaves_nothing_else(
    folder: Path, provenance: Provenance
) -> None:
    checkpoint = read_checkpoint(folder)
    files = {**contents(folder), METRICS: b'{"new": true}'}
    write_checkpoint(folder, checkpoint.config, provenance, files, lambda _: None)
    assert read_checkpoint(folder).metrics == {"new": True}
    assert list(folder.parent.iterdir()) == [folder]


def test_write_refused_by_its_check_keeps_the_old(folder: Path, provenance: Provenance) -> None:
    def refuse(_: Checkpoint) -> None:
        raise CheckpointError("no")

    before = contents(folder)
    with pytest.raises(CheckpointError, match="no"):
        write_checkpoint(
            folder, read_checkpoint(folder).config, provenance, {**before, METRICS: b"{}"}, refuse
        )
    assert contents(folder) == before
    assert list(folder.parent.iterdir()) == [folder]


def test_write_incomplete_raises(
    tiny_checkpoint: Checkpoint, provenance: Provenance, tmp_path: Path
) -> None:
    files = contents(tiny_checkpoint.folder)
    del files[WEIGHTS]
    with pytest.raises(CheckpointError, match=r"missing: \['model.safetensors'\]"):
        write_checkpoint(
            tmp_path / "new", tiny_checkpoint.config, provenance, files, lambda _: None
        )


def test_write_unknown_file_raises(
    tiny_checkpoint: Checkpoint, provenance: Provenance, tmp_path: Path
) -> None:
    files = {**contents(tiny_checkpoint.folder), "notes.txt": b""}
    with pytest.raises(CheckpointError, match=r"no place for \['notes.txt'\]; leave them out"):
        write_checkpoint(
            tmp_path / "new", tiny_checkpoint.config, provenance, files, lambda _: None
        )


def test_rounded_decoder_may_be_missing(
    tiny_checkpoint: Checkpoint, provenance: Provenance, tmp_path: Path
) -> None:
    files = contents(tiny_checkpoint.folder)
    del files[ROUNDED_DECODER], files[ROUNDED_WEIGHTS]
    config = tiny_checkpoint.config
    copy = write_checkpoint(tmp_path / "copy", config, provenance, files, lambda _: None)
    assert ROUNDED_DECODER not in copy.manifest.sha256
    assert copy.model_hash == tiny_checkpoint.model_hash


def test_write_over_a_folder_that_is_no_checkpoint_raises(
    tiny_checkpoint: Checkpoint, provenance: Provenance, tmp_path: Path
) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(CheckpointError, match="neither empty nor a checkpoint"):
        write_checkpoint(
            tmp_path,
            tiny_checkpoint.config,
            provenance,
            contents(tiny_checkpoint.folder),
            lambda _: None,
        )
    assert (tmp_path / "thesis.txt").read_text() == "precious"


def test_read_missing_folder_raises(tmp_path: Path) -> None:
    assert refused(tmp_path / "none") == (
        f"The checkpoint folder {tmp_path / 'none'} does not exist; train one with "
        "`python -m training`, or set CVAE_CHECKPOINT to an existing one."
    )


@pytest.mark.parametrize("name", [CONFIG, *FILES])
def test_read_missing_file_raises(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert f"{name} cannot be used: found no such file" in refused(folder)


@pytest.mark.parametrize("name", [CONFIG, *FILES])
def test_read_truncated_file_raises(folder: Path, name: str) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert f"{name} cannot be used" in refused(folder)


@pytest.mark.parametrize("name", [CONFIG, *FILES])
@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_read_one_flipped_bit_raises(folder: Path, name: str, place: float) -> None:
    path = folder / name
    data = bytearray(path.read_bytes())
    data[int(len(data) * place)] ^= 1
    path.write_bytes(data)
    assert f"{name} cannot be used" in refused(folder)


@pytest.mark.parametrize("name", [CONFIG, *FILES])
def test_read_symbolic_link_raises(folder: Path, name: str) -> None:
    target = folder.parent / "elsewhere"
    (folder / name).rename(target)
    (folder / name).symlink_to(target)
    assert f"{name} cannot be used: found a symbolic link" in refused(folder)


def test_read_swapped_files_raises(folder: Path) -> None:
    first, second = folder / "decoder.onnx", folder / "encoder.onnx"
    data = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(data)
    assert "found sha256" in refused(folder)


def test_read_other_format_version_raises(folder: Path) -> None:
    resign(folder, {}, format_version=2)
    assert "found format version 2, expected 1" in refused(folder)


def test_read_unknown_field_raises(folder: Path) -> None:
    resign(folder, {}, colour="red")
    assert "found colour: Extra inputs are not permitted" in refused(folder)


def edited(change: Callable[[dict[str, np.ndarray]], None]) -> Callable[[bytes], bytes]:
    def edit(data: bytes) -> bytes:
        weights = safetensors.numpy.load(data)
        change(weights)
        return bytes(safetensors.numpy.save(weights))

    return edit


def poison(weights: dict[str, np.ndarray]) -> None:
    weights["decoder.layers.0.weight"] = weights["decoder.layers.0.weight"].copy()
    weights["decoder.layers.0.weight"][1, 2] = np.nan


def reshape(weights: dict[str, np.ndarray]) -> None:
    weights["encoder.mean.weight"] = weights["encoder.mean.weight"].T.copy()


def halve(weights: dict[str, np.ndarray]) -> None:
    weights["encoder.mean.bias"] = weights["encoder.mean.bias"].astype(np.float16)


def drop(weights: dict[str, np.ndarray]) -> None:
    del weights["encoder.mean.bias"]


def add(weights: dict[str, np.ndarray]) -> None:
    weights["decoder.extra"] = np.zeros(1, np.float32)


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (edited(poison), "found NaN or infinity in decoder.layers.0.weight"),
        (edited(reshape), "found encoder.mean.weight of shape (32, 6)"),
        (edited(halve), "found encoder.mean.bias of shape (6,) and type float16"),
        (edited(drop), "found other weight names (encoder.mean.bias)"),
        (edited(add), "found other weight names (decoder.extra)"),
        (lambda _: b"no weights at all", "found no safetensors file"),
    ],
    ids=["nan", "shape", "type", "dropped", "added", "no safetensors"],
)
def test_read_signed_but_unfit_weights_raises(
    folder: Path, edit: Callable[[bytes], bytes], expected: str
) -> None:
    rewrite(folder, WEIGHTS, edit((folder / WEIGHTS).read_bytes()))
    assert expected in refused(folder)


def test_read_signed_but_broken_metrics_raises(folder: Path) -> None:
    rewrite(folder, METRICS, b"{")
    assert "metrics.json cannot be used: found no JSON" in refused(folder)
