"""A damaged checkpoint folder: no service draws with it, and the log says why in one sentence."""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path

import numpy as np
import safetensors.numpy

from harness.launcher import Service, run_to_end, running
from model.atomic import exchange
from model.checkpoint import CONFIG, DECODER, ENCODER, METRICS, PRETRAINED, WEIGHTS, sha256
from torture.scale import Scale
from torture.verdict import Verdict

Damage = Callable[[Path], None]
DEPTH, NESTED = 200_000, 3_000
ENDLESS_BYTES = 2**40
NOTHING = ("no folder", "empty folder")  # to watch
WATCH_S = 0.1
LIMIT_S = 20
REFUSED, TAKEN = "nothing changes", "from now on"  # in the log


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


def try_damaged_reloads(scale: Scale) -> Iterator[Verdict]:
    """The same damages, one after the other, to the folder of a service that watches it."""
    chosen = [each for each in damages() if each[0] not in NOTHING][:: scale.damages]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(shutil.copytree(PRETRAINED, Path(place) / "checkpoint"))
        with running(CVAE_CHECKPOINT=str(folder), CVAE_WATCH_SECONDS=str(WATCH_S)) as service:
            bad = [name for name, damage in chosen if not _is_refused(service, folder, damage)]
            _exchange(folder, lambda _: None)
            taken = _wait_for(service, TAKEN, 1)
            drawing = service.status("/generate?digits=1")
    yield Verdict(
        f"{len(chosen)} damages to the checkpoint of a running service",
        f"{len(bad)} not refused {', '.join(bad)}; then a good one is "
        f"{'taken' if taken else 'NOT taken'}, a drawing has status {drawing}",
        "0: one sentence each, no traceback; taken; 200",
        not bad and taken and drawing == HTTPStatus.OK and "Traceback" not in service.log,
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
        ("deep config.json", lambda folder: _write(folder, CONFIG, "[" * DEPTH)),
        ("deep object", lambda folder: _write(folder, CONFIG, '{"a":' * DEPTH)),
        ("deep metrics.json", lambda folder: _write(folder, METRICS, _nested())),
        ("metrics.json is a number", lambda folder: _write(folder, METRICS, "1")),
        ("hash is a number", _number_as_hash),
    ]
    of_file = (
        ("missing", _remove),
        ("truncated", _truncate),
        ("flipped byte", _flip),
        ("link", _link),
        ("FIFO in place of", _fifo),
        ("folder in place of", _folder),
        ("endless", _endless),
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


def _is_refused(service: Service, folder: Path, damage: Damage) -> bool:
    """Whether exactly one line of the log refuses the damaged checkpoint."""
    lines = service.log.count(REFUSED)
    _exchange(folder, damage)
    refused = _wait_for(service, REFUSED, lines + 1)
    return refused and not _wait_for(service, REFUSED, lines + 2, limit_s=3 * WATCH_S)


def _exchange(folder: Path, damage: Damage) -> None:
    """Put a fresh copy of the bundled checkpoint in place of the folder, with a damage."""
    fresh = Path(shutil.copytree(PRETRAINED, folder.parent / "fresh" / "checkpoint"))
    damage(fresh)
    exchange(fresh, folder)
    shutil.rmtree(fresh.parent)


def _wait_for(service: Service, words: str, times: int, limit_s: float = LIMIT_S) -> bool:
    """Whether the log has these words so many times, within a limit."""
    limit = time.monotonic() + limit_s
    while not (found := service.log.count(words) >= times) and time.monotonic() < limit:
        time.sleep(WATCH_S / 4)
    return found


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
    name = min(weights)  # safetensors gives them in another order each time
    weights[name] = np.full_like(weights[name], np.nan)


def _reshape(weights: dict[str, np.ndarray]) -> None:
    # Of a square matrix the shape would stay, and it would be another good model.
    name = min(name for name, weight in weights.items() if len(set(weight.shape)) == 2)
    weights[name] = weights[name].T.copy()


def _remove(path: Path) -> None:
    path.unlink()


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def _write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    if name != CONFIG:
        sign(folder)


def _nested() -> str:
    return '{"a":' * NESTED + "1" + "}" * NESTED


def _number_as_hash(folder: Path) -> None:
    document = json.loads((folder / CONFIG).read_text())
    document["sha256"][CONFIG] = 1
    (folder / CONFIG).write_text(json.dumps(document))


def _fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _endless(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(ENDLESS_BYTES)  # takes no room on the disk


def _link(path: Path) -> None:
    elsewhere = path.parent.parent / path.name
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
