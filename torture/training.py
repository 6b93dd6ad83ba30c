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
from collections.abc import Callable, Iterator
from pathlib import Path

from model.checkpoint import CheckpointError, read_checkpoint
from torture.load import ROOT
from torture.scale import Scale
from torture.verdict import Verdict

DATA = ROOT / "tests" / "data"
LIMIT_S = 120
MOMENT_S = 3.0  # the latest kill after the start: the run would take a little longer
DISK_BYTES = 60_000  # more than a log, less than a checkpoint
EPOCHS = 2


def try_training(scale: Scale) -> Iterator[Verdict]:
    """Kill one run again and again, and resume it each time."""
    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as place:
        run_dir = Path(place)
        first = _train(run_dir, "--epochs", "1")
        half, finished, kills, wrong = 0, 1, 0, [] if first.returncode == 0 else [first.stderr]
        epochs = 1
        while kills < scale.training_kills and not wrong:
            epochs += finished  # a finished run is taken further, so that it replaces its folder
            process = _start(run_dir, "--epochs", str(epochs), "--resume")
            killed = _kill_after(process, chance.uniform(0, MOMENT_S))
            kills += killed
            finished = not killed
            if not killed and process.returncode:
                wrong.append(f"resume ended with {process.returncode}")
            half += not _is_whole(run_dir)
        last = _train(run_dir, "--epochs", str(epochs + 1), "--resume")
        history = len(_history(run_dir))
    yield Verdict(
        f"training killed {kills} times: checkpoint folder old or new",
        f"{half} half, {len(wrong)} failed to resume {'; '.join(wrong)}".strip(),
        "0",
        not half and not wrong and kills == scale.training_kills,
    )
    yield Verdict(
        "training killed: resume continues to the end",
        f"exit {last.returncode}, {history} of {epochs + 1} epochs in the history",
        "exit 0, all",
        last.returncode == 0 and history == epochs + 1,
    )


def try_disk(_: Scale) -> Iterator[Verdict]:
    """No room for the new checkpoint: a sentence, and the old one stays."""
    with tempfile.TemporaryDirectory() as place:
        run_dir = Path(place)
        _train(run_dir, "--epochs", "1")
        before = _history(run_dir)
        full = _train(run_dir, "--epochs", "2", "--resume", preexec=_limit_files)
        kept = _is_whole(run_dir) and _history(run_dir) == before
        again = _train(run_dir, "--epochs", "2", "--resume")
    sentence = next((line for line in full.stderr.splitlines() if "File too large" in line), "none")
    yield Verdict(
        "disk full: a clear error and the old checkpoint stays",
        f"exit {full.returncode}, {'kept' if kept else 'LOST'}: {sentence.strip()}; "
        f"with room again exit {again.returncode}",
        "exit not 0, one sentence, kept; then exit 0",
        full.returncode > 0
        and kept
        and sentence != "none"
        and "Traceback" not in full.stderr
        and again.returncode == 0,
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
