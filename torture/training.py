"""Training that is killed or has no disk left: the checkpoint is old or new, never half."""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

from model.checkpoint import CheckpointError, read_checkpoint
from torture.load import ROOT
from torture.scale import Scale
from torture.verdict import Verdict

DATA = ROOT / "tests" / "data"
LIMIT_S = 120
MOMENT_S = 3.0  # the latest kill after the start: the run would take a little longer
DISK_BYTES = 60_000  # more than a log, less than a checkpoint


def try_training(scale: Scale) -> Iterator[Verdict]:
    """Kill one run again and again, and resume it each time; then let its disk be full."""
    with tempfile.TemporaryDirectory() as place:
        run_dir = Path(place)
        _train(run_dir, "--epochs", "1")
        epochs = yield from _killed(run_dir, scale.training_kills)
        yield from _without_disk(run_dir, epochs)


def _killed(run_dir: Path, kills: int) -> Generator[Verdict, None, int]:
    """The epochs that the run has in the end."""
    chance = random.Random(0)
    epochs, half, done, failed = 2, 0, 0, 0
    while done < kills and not failed:
        process = _start(run_dir, "--epochs", str(epochs), "--resume")
        killed = _kill_after(process, chance.uniform(0, MOMENT_S))
        done += killed
        failed += not killed and process.returncode != 0
        epochs += not killed  # taken further, so that the next run replaces the folder again
        half += not _is_whole(run_dir)
    last = _train(run_dir, "--epochs", str(epochs), "--resume")
    history = len(_history(run_dir))
    yield Verdict(
        f"training killed {done} times: checkpoint folder old or new",
        f"{half} half, {failed} failed to resume",
        "0",
        not half and not failed and done == kills,
    )
    yield Verdict(
        "training killed: resume continues to the end",
        f"exit {last.returncode}, {history} of {epochs} epochs in the history",
        "exit 0, all",
        last.returncode == 0 and history == epochs,
    )
    return epochs


def _without_disk(run_dir: Path, epochs: int) -> Iterator[Verdict]:
    before = _history(run_dir)
    options = "--epochs", str(epochs + 1), "--resume"
    full = _train(run_dir, *options, preexec=_limit_files)
    kept = _is_whole(run_dir) and _history(run_dir) == before
    sentence = next((line for line in full.stderr.splitlines() if "Make room" in line), "none")
    yield Verdict(
        "disk full: a clear error and the old checkpoint stays",
        f"exit {full.returncode}, {'kept' if kept else 'LOST'}, {sentence.strip()}",
        "exit 1, kept, one sentence",
        full.returncode == 1 and kept and sentence != "none" and "Traceback" not in full.stderr,
    )


def _limit_files() -> None:
    """Every file of this process ends at `DISK_BYTES`, as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (DISK_BYTES, DISK_BYTES))


def _start(
    run_dir: Path, *options: str, preexec: Callable[[], None] | None = None
) -> "subprocess.Popen[str]":
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
        preexec_fn=preexec,
    )


def _train(
    run_dir: Path, *options: str, preexec: Callable[[], None] | None = None
) -> "subprocess.CompletedProcess[str]":
    with _start(run_dir, *options, preexec=preexec) as process:
        stdout, stderr = process.communicate(timeout=LIMIT_S)
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def _kill_after(process: "subprocess.Popen[str]", moment_s: float) -> bool:
    """SIGKILL that long after the run has begun its work; whether it was still at work."""
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
    """Whether torch is loaded: what comes before writes nothing."""
    try:
        return "libtorch_cpu" in Path(f"/proc/{pid}/maps").read_text()
    except OSError:
        return False


def _is_whole(run_dir: Path) -> bool:
    try:
        read_checkpoint(run_dir / "checkpoint")
    except CheckpointError:
        return False
    return True


def _history(run_dir: Path) -> list[dict[str, object]]:
    text = (run_dir / "checkpoint" / "metrics.json").read_text()
    return list(json.loads(text)["history"])
