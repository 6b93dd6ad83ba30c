"""Training that is killed or finds the disk full: the checkpoint is the old or the new one."""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from pathlib import Path

from harness.launcher import ROOT
from model.checkpoint import CheckpointError, read_checkpoint
from torture.scale import Scale
from torture.verdict import Verdict

DATA = ROOT / "tests" / "data"
LIMIT_S = 120
MOMENT_S = 3.0  # a kill comes at most this long after the start; a run takes a little longer
DISK_BYTES = 60_000  # more than a log, less than a checkpoint


def try_training(scale: Scale) -> Iterator[Verdict]:
    """Kill and resume one run several times, then continue it on a full disk."""
    with tempfile.TemporaryDirectory() as place:
        run_dir = Path(place)
        _train(run_dir, "--epochs", "1")
        epochs = yield from _killed(run_dir, scale.training_kills)
        yield from _without_disk(run_dir, epochs)


def _killed(run_dir: Path, kills: int) -> Generator[Verdict, None, int]:
    """Returns the number of epochs of the run at its end."""
    chance = random.Random(0)
    epochs, incomplete, done, failed = 2, 0, 0, 0
    while done < kills and not failed:
        process = _start(run_dir, "--epochs", str(epochs), "--resume")
        killed = _kill_after(process, chance.uniform(0, MOMENT_S))
        done += killed
        failed += not killed and process.returncode != 0
        epochs += not killed  # one more, so that the next run replaces the folder again
        incomplete += not _is_complete(run_dir)
    code = _train(run_dir, "--epochs", str(epochs), "--resume")
    history = len(_history(run_dir))
    yield Verdict(
        f"training killed {done} times: the checkpoint is complete, old or new",
        f"{incomplete} incomplete, {failed} failed to resume",
        "0",
        not incomplete and not failed and done == kills,
    )
    yield Verdict(
        "training killed: resuming completes the run",
        f"exit {code}, {history} of {epochs} epochs in the history",
        "exit 0, all",
        code == 0 and history == epochs,
    )
    return epochs


def _without_disk(run_dir: Path, epochs: int) -> Iterator[Verdict]:
    before = _history(run_dir)
    options = "--epochs", str(epochs + 1), "--resume"
    with _start(run_dir, *options) as process:
        # Every file of the process ends there, as on a full disk.
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (DISK_BYTES, DISK_BYTES))
        _, errors = process.communicate(timeout=LIMIT_S)
    kept = _is_complete(run_dir) and _history(run_dir) == before
    sentence = next((line for line in errors.splitlines() if "Make room" in line), "none")
    yield Verdict(
        "disk full: one sentence, and the old checkpoint stays",
        f"exit {process.returncode}, {'kept' if kept else 'LOST'}, {sentence.strip()}",
        "exit 1, kept, one sentence",
        process.returncode == 1 and kept and sentence != "none" and "Traceback" not in errors,
    )


def try_first_disk(_: Scale) -> Iterator[Verdict]:
    """A disk that is full before there is anything to resume."""
    with tempfile.TemporaryDirectory() as place, _start(Path(place), "--epochs", "1") as process:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (DISK_BYTES, DISK_BYTES))
        errors = process.communicate(timeout=LIMIT_S)[1]
    advice = next((line.strip() for line in errors.splitlines() if "Make room" in line), "none")
    yield Verdict(
        "disk full before the first snapshot: the advice helps",
        f"exit {process.returncode}, {advice}",
        "exit 1, one sentence without --resume",
        process.returncode == 1
        and advice.endswith("run the command again.")
        and "Traceback" not in errors,
    )


def try_two_trainings(_: Scale) -> Iterator[Verdict]:
    """A second training in the folder of one that runs."""
    with tempfile.TemporaryDirectory() as place:
        run_dir = Path(place)
        with _start(run_dir, "--epochs", "1000") as first:
            begun = time.monotonic()
            while not (run_dir / "snapshot.safetensors").exists():
                if first.poll() is not None or time.monotonic() > begun + LIMIT_S:
                    break
                time.sleep(0.05)
            with _start(run_dir, "--epochs", "1000", "--resume") as second:
                errors = second.communicate(timeout=LIMIT_S)[1]
            alive = first.poll() is None
            first.kill()
            first.communicate()
    yield Verdict(
        "two trainings in one folder: the second is refused, the first goes on",
        f"exit {second.returncode}, the first {'goes on' if alive else 'HAS ENDED'}",
        "exit 1, one sentence, goes on",
        second.returncode == 1 and alive and "Another training works" in errors,
    )


def _start(run_dir: Path, *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "training", "--data-dir", str(DATA), "--run-dir", str(run_dir)),
            *("--accelerator", "cpu", "--hidden", "16", "--latent", "4", "--no-evaluate"),
            *("--snapshot-every-s", "0.05", *options),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _train(run_dir: Path, *options: str) -> int:
    """The exit code of a complete run."""
    with _start(run_dir, *options) as process:
        process.communicate(timeout=LIMIT_S)
    return process.returncode


def _kill_after(process: "subprocess.Popen[str]", moment_s: float) -> bool:
    """Send SIGKILL `moment_s` after the run has begun its work; whether it was still running."""
    with process:
        begun = time.monotonic()
        while process.poll() is None and time.monotonic() < begun + LIMIT_S:
            if _has_begun(process.pid):
                break
            time.sleep(0.01)
        time.sleep(moment_s)
        process.kill()
        process.communicate()
    return process.returncode == -signal.SIGKILL


def _has_begun(pid: int) -> bool:
    """Whether torch is loaded; nothing is written before that."""
    try:
        return "libtorch_cpu" in Path(f"/proc/{pid}/maps").read_text()
    except OSError:
        return False


def _is_complete(run_dir: Path) -> bool:
    try:
        read_checkpoint(run_dir / "checkpoint")
    except CheckpointError:
        return False
    return True


def _history(run_dir: Path) -> list[dict[str, object]]:
    text = (run_dir / "checkpoint" / "metrics.json").read_text()
    return list(json.loads(text)["history"])
