"""A damaged checkpoint folder: the service does not start, and says why in one sentence."""

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import safetensors.numpy

from harness.launcher import run_to_end
from model.checkpoint import CONFIG, DECODER, ENCODER, PRETRAINED, WEIGHTS, sha256
from torture.scale import Scale
from torture.verdict import Verdict

Damage = Callable[[Path], None]


def try_damages(scale: Scale) -> Iterator[Verdict]:
    """Start the service with each damage, or with every `scale.damages`-th of them."""
    chosen = damages()[:: scale.damages]
    bad, slowest = [], 0.0
    for name, damage in chosen:
        begun = time.monotonic()
        if (wrong := _start_damaged(damage)) is not None:
            bad.append(f"{name}: {wrong}")
        slowest = max(slowest, time.monotonic() - begun)
    yield Verdict(
        f"bad start: {len(chosen)} damages to the checkpoint",
        f"{len(bad)} not refused, slowest exit after {slowest:.1f} s {'; '.join(bad)}".strip(),
        "0: exit code not 0, one sentence, never ready",
        not bad,
    )


def damages() -> list[tuple[str, Damage]]:
    """Every kind of damage, with its name."""
    files = sorted(path.name for path in PRETRAINED.iterdir())
    of_folder: list[tuple[str, Damage]] = [
        ("no folder", shutil.rmtree),
        ("empty folder", _empty),
        ("other version", _change_version),
        ("swapped files", _swap),
        ("NaN", lambda folder: _edit_weights(folder, _poison)),
        ("wrong shape", lambda folder: _edit_weights(folder, _reshape)),
    ]
    of_file = (
        ("missing", _remove),
        ("truncated", _truncate),
        ("flipped byte", _flip),
        ("link", _link),
    )
    return of_folder + [
        (f"{kind} {name}", lambda folder, harm=harm, name=name: harm(folder / name))
        for kind, harm in of_file
        for name in files
    ]


def _start_damaged(damage: Damage) -> str | None:
    """What is wrong with the reaction of the service, or None."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(shutil.copytree(PRETRAINED, Path(place) / "checkpoint"))
        damage(folder)
        done = run_to_end(CVAE_CHECKPOINT=str(folder))
    sentences = [line for line in done.stderr.splitlines() if "heckpoint" in line]
    if done.returncode == 0:
        return "exit code 0"
    if "Traceback" in done.stderr or "startup complete" in done.stderr:
        return "a traceback, or a start"
    return None if len(sentences) == 1 else f"{len(sentences)} sentences"


def _change_version(folder: Path) -> None:
    document = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps({**document, "format_version": 2}))


def sign(folder: Path) -> None:
    """Make the hashes match the content of the folder."""
    document = json.loads((folder / CONFIG).read_text())
    digests = document["sha256"]
    del digests[CONFIG]
    digests.update({name: sha256((folder / name).read_bytes()) for name in digests})
    plain = json.dumps(document, sort_keys=True, separators=(",", ":"))
    digests[CONFIG] = sha256(plain.encode())
    (folder / CONFIG).write_text(json.dumps(document))


def _empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def _swap(folder: Path) -> None:
    first, second = folder / DECODER, folder / ENCODER
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)


def _edit_weights(folder: Path, edit: Callable[[dict[str, np.ndarray]], None]) -> None:
    weights = safetensors.numpy.load((folder / WEIGHTS).read_bytes())
    edit(weights)
    (folder / WEIGHTS).write_bytes(safetensors.numpy.save(weights))
    sign(folder)  # as after an edit by hand


def _poison(weights: dict[str, np.ndarray]) -> None:
    name = next(iter(weights))
    weights[name] = np.full_like(weights[name], np.nan)


def _reshape(weights: dict[str, np.ndarray]) -> None:
    name = next(name for name, weight in weights.items() if weight.ndim == 2)
    weights[name] = weights[name].T.copy()


def _remove(path: Path) -> None:
    path.unlink()


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def _link(path: Path) -> None:
    elsewhere = path.parent.parent / path.name
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
