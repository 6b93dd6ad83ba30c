"""A data set in a folder: shard by shard, each complete or not there, so that a run can resume.

The folder has `.incomplete/` while something is missing: the description of the data set, and a
record of each finished shard. In the end come `manifest.json` and the data card `README.md`.
"""

import fcntl
import hashlib
import json
import shutil
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from app.drawing.dataset.encoder import encode_pngs, encode_section, label_names
from app.drawing.dataset.files import Piece, write_into, write_whole
from app.drawing.dataset.forms import FORMS, INCOMPLETE
from app.drawing.dataset.manifest import card, manifest
from app.drawing.dataset.plan import Plan, Shard
from app.drawing.dataset.section import Section
from app.drawing.dataset.stream import ENCODERS
from app.drawing.renderer import Renderer
from app.request.error import Reason, RequestError, invalid
from model.atomic import replace_file

DESCRIPTION = "description.json"
MANIFEST, CARD = "manifest.json", "README.md"
SAMPLE = 64  # pictures that tell how many bytes one takes
ROOM = 1.1  # more than the sample says
FILE_BLOCK = 4096  # bytes that a small file takes at least
Progress = Callable[[int], None]  # is told how many more pictures are drawn


def resumed_seed(folder: Path) -> int | None:
    """The seed of the data set in the folder, complete or not; None without one."""
    found = _found(folder)
    return None if found is None else int(found["seed"])


def record_name(shard: Shard) -> str:
    """The name of the record of a shard, below the folder of the data set."""
    return f"{INCOMPLETE}/{shard.name}.json"


def begin(
    folder: Path, plan: Plan, renderer: Renderer, kept: int | None = None, name: str | None = None
) -> list[int]:
    """Prepare the folder; the indices of the shards that are missing in it.

    Args:
        folder: of the data set.
        plan: of the data set.
        renderer: draws it.
        kept: shards that are here at a time, where they are sent elsewhere; None: all.
        name: of the folder in a refusal; None: its path.
    Raises:
        InvalidRequest: the folder holds something else, or the disk is too small.
        OSError: the folder cannot be written.
    """
    description = describe(plan, renderer)
    _check_folder(folder, description, name or str(folder))
    if (folder / MANIFEST).exists():
        return []
    here = kept is None
    missing = [i for i, shard in enumerate(plan.shards) if not _written(folder, shard, here)]
    counts = [plan.shards[index].section.count for index in missing]
    check_disk(folder, plan.shards[0].section, sum(counts[:kept]), renderer)
    (folder / INCOMPLETE).mkdir(parents=True, exist_ok=True)
    replace_file(folder / INCOMPLETE / DESCRIPTION, _json(description))
    FORMS[plan.options.format].prepare(folder, plan.shards)
    return missing


def write_shard(folder: Path, shard: Shard, renderer: Renderer, progress: Progress) -> None:
    """Write a shard, and then its record.

    Raises:
        OSError: the folder cannot be written.
    """
    shard = replace(shard, section=replace(shard.section))  # a copy, whose labels end with it
    form = FORMS[shard.section.description.format]
    path, place = form.target(folder, shard)
    encoder = form.encoder(folder, shard)
    pieces = encode_section(encoder, shard.section, renderer)
    digest = hashlib.sha256()
    counted = _counted(pieces, digest, shard.section.batch_counts, progress)
    size = write_whole(path, counted) if place is None else write_into(path, place, counted)
    labels = shard.section.labels
    digits = np.bincount(labels.digits[labels.drawn], minlength=len(labels.alphabet.names))
    record = {
        "file": form.name(shard),
        **({} if place is None else {"place": place}),
        "split": shard.split,
        "first": shard.section.first,
        "images": shard.section.count,
        "digits": digits.tolist(),
        "bytes": size,
        "sha256": digest.hexdigest(),
        **form.facts(encoder),
    }
    replace_file(_record(folder, shard), _json(record))


def finish(folder: Path, plan: Plan, renderer: Renderer) -> bool:
    """Complete the folder, if no shard is missing; whether it is complete.

    Of several runs on a common folder, one does it at a time.

    Raises:
        OSError: the folder cannot be written.
    """
    try:
        with (folder / INCOMPLETE / DESCRIPTION).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return (folder / MANIFEST).exists() or _finish(folder, plan, renderer)
    except FileNotFoundError:
        if (folder / MANIFEST).exists():  # another run has just done it
            return True
        raise


def _finish(folder: Path, plan: Plan, renderer: Renderer) -> bool:
    records = [_record(folder, shard) for shard in plan.shards]
    if not all(record.exists() for record in records):
        return False
    files = FORMS[plan.options.format].finish(folder, plan.shards)
    found = [json.loads(record.read_text()) for record in records]
    document = manifest(
        {
            **describe(plan, renderer),
            "trained_on": renderer.checkpoint.manifest.provenance.data_set,
        },
        found,
        [_facts(folder, file, {record["file"] for record in found}) for file in files],
    )
    replace_file(folder / CARD, card(document).encode())
    replace_file(folder / MANIFEST, _json(document))
    shutil.rmtree(folder / INCOMPLETE)
    return True


def describe(plan: Plan, renderer: Renderer) -> dict[str, Any]:
    """Everything that the bytes of a data set depend on."""
    alphabet = plan.options.alphabet
    return {
        "seed": plan.seed,
        "options": plan.options.canonical(plan.seed),
        "format": plan.options.format,
        "columns": label_names(plan.shards[0].section),
        "texts_sha256": None if plan.texts is None else plan.texts.sha256,
        "model": renderer.model_hash,
        "engine": renderer.engine,
        "precision": renderer.precision,
        **({} if alphabet.kind == "digits" else {"label_names": list(alphabet.names)}),
    }


def _check_folder(folder: Path, description: dict[str, Any], name: str) -> None:
    """See that the folder is new, empty, or holds this data set, complete or not."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise _occupied(name, "is a file")
    found = _found(folder)
    if found is None and any(path.name != INCOMPLETE for path in folder.iterdir()):
        raise _occupied(name, "holds other files")
    if found is not None and {key: found.get(key) for key in description} != description:
        raise _occupied(name, f"holds the data set {found.get('options')}")


def _found(folder: Path) -> dict[str, Any] | None:
    """The description of the data set in the folder; None without one."""
    for path in (folder / MANIFEST, folder / INCOMPLETE / DESCRIPTION):
        try:
            found: dict[str, Any] = json.loads(path.read_text())
        except (FileNotFoundError, NotADirectoryError):
            continue
        except ValueError:
            raise _occupied(str(folder), f"has a {path.name} that is not JSON") from None
        return found if "seed" in found else None
    return None


def _occupied(name: str, what: str) -> RequestError:
    return RequestError(
        Reason.INVALID, f"{name} {what}; expected a new or empty folder, or the same data set."
    )


def check_disk(output: Path, section: Section, images: int, renderer: Renderer) -> None:
    """See that the disk has room for that many pictures.

    Args:
        output: a file or folder there, which need not exist.
        section: a few of its pictures tell how large one is.
        images: number of pictures.
        renderer: draws these few.
    Raises:
        InvalidRequest: the disk is too small.
    """
    existing = next(path for path in (output, *output.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    needed = int(images * ROOM * _bytes_per_picture(section, renderer))
    if needed > free:
        raise invalid(
            "count",
            f"needs about {needed / 1e9:.1f} GB, and {existing} has {free / 1e9:.1f} GB free",
        )


def _bytes_per_picture(section: Section, renderer: Renderer) -> float:
    name = section.description.format
    if name in ("npz", "idx"):
        return section.canvas.height * section.canvas.width
    count = min(SAMPLE, section.count)
    section = replace(section, count=count)
    if name == "imagefolder":
        batches = section.batches(renderer)
        sizes = [len(png) for batch in batches for png in encode_pngs(section, batch)]
        return sum(-(-size // FILE_BLOCK) * FILE_BLOCK for size in sizes) / count
    encoder = ENCODERS[name](section)
    return sum(map(len, encode_section(encoder, section, renderer))) / count


def _counted(
    pieces: Iterable[Piece], digest: Any, counts: Iterable[int], progress: Progress
) -> Iterable[Piece]:
    """The pieces, each told to the digest and to the progress."""
    for piece, count in zip(pieces, counts, strict=True):
        digest.update(piece)
        yield piece
        if count:
            progress(count)


def _written(folder: Path, shard: Shard, here: bool) -> bool:
    """Whether a shard has its record and, if shards stay here, what it tells of."""
    try:
        record = json.loads(_record(folder, shard).read_text())
    except (FileNotFoundError, ValueError):
        return False
    if not here:
        return True
    form = FORMS[shard.section.description.format]
    path, place = form.target(folder, shard)
    if place is not None:  # in a common file, which has its name when all is there
        return path.exists() or (folder / form.name(shard)).exists()
    return path.exists() and path.stat().st_size == record.get("bytes")


def _record(folder: Path, shard: Shard) -> Path:
    return folder / record_name(shard)


def _facts(folder: Path, file: Path, of_shards: Collection[str]) -> dict[str, Any]:
    """What the manifest has of a file. Those of the shards are not read again: they are large."""
    facts = {"file": str(file.relative_to(folder)), "bytes": file.stat().st_size}
    if facts["file"] in of_shards:
        return facts
    with file.open("rb") as content:
        return {**facts, "sha256": hashlib.file_digest(content, "sha256").hexdigest()}


def _json(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=1) + "\n").encode()
