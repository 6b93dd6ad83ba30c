"""New checkpoints taken over under load, by signal and by watching; a damaged one is refused."""

import asyncio
import json
import os
import re
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

from harness.launcher import APP, Service, is_ready, running
from model.atomic import exchange
from model.checkpoint import PRETRAINED, WEIGHTS, Checkpoint, read_checkpoint
from torture.balancer import Balancer
from torture.damage import sign
from torture.overload import USUAL
from torture.scale import Scale
from torture.verdict import Verdict

RATE = 100  # requests a second
LIMIT_S = 20
WATCH_S = 0.2
REFUSED, TAKEN = "refused", "from now on"  # in the log
HANGUPS_PER_S = 100
SETTLED_S = 2.5
IMPORTING_KB = 20_000  # resident; Python alone has 10,000


def try_reload(scale: Scale) -> Iterator[Verdict]:
    """Half of the checkpoints by SIGHUP to two workers, half by watching the folder."""
    for workers, watch_s in ((2, 0.0), (1, WATCH_S)):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(shutil.copytree(PRETRAINED, Path(place) / "checkpoint"))
            with running(
                workers=workers, CVAE_CHECKPOINT=str(folder), CVAE_WATCH_SECONDS=str(watch_s)
            ) as service:
                trial = asyncio.run(_Trial(service, folder, not watch_s).run(scale.reloads // 2))
        name = "watching" if watch_s else "SIGHUP, two workers"
        yield Verdict(
            f"reload by {name}: taken over without a failed request",
            f"{trial.taken} of {scale.reloads // 2} taken over, slowest {trial.slowest_s:.1f} s; "
            f"{len(trial.balancer.failed)} of {trial.balancer.sent} failed",
            "all, 0 failed",
            trial.taken == scale.reloads // 2 and not trial.balancer.failed,
        )
        yield Verdict(
            f"reload by {name}: a damaged one is refused, the old one stays",
            f"refused: {trial.refused}, still drawing: {trial.still_drawing}",
            "both",
            trial.refused and trial.still_drawing,
        )


def try_hangups(scale: Scale) -> Iterator[Verdict]:
    """SIGHUP again and again, from the moment in which the process begins its imports."""
    for workers in (1, 2):
        sent: list[int] = []
        command = replace(APP, ready=lambda service: _hang_up(service, sent))  # noqa: B023
        with running(command=command, workers=workers) as service:
            begun = time.monotonic()
            for _ in range(scale.hangups):
                time.sleep(1 / HANGUPS_PER_S)
                _hang_up(service, sent)
            time.sleep(SETTLED_S)
            seconds = time.monotonic() - begun
            reloads = service.log.count(TAKEN) / workers
            status, code = service.status(USUAL), service.end()
        yield Verdict(
            f"{workers} workers, SIGHUP without a pause from the start on",
            f"{len(sent)} signals, {reloads:g} reloads by each worker in {seconds:.1f} s after "
            f"the start; then a drawing has status {status}, exit {code}",
            "at most one reload a second and one more; 200, exit 0",
            0 < reloads <= seconds + 2 and status == HTTPStatus.OK and code == 0,
        )


def _hang_up(service: Service, sent: list[int]) -> bool:
    """Send SIGHUP to the process and to its workers; whether the service is ready."""
    if _imports(service.process.pid):
        for pid in {service.process.pid, *service.workers()}:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGHUP)
        sent.append(service.process.pid)
    return is_ready(service)


def _imports(pid: int) -> bool:
    """Whether a process holds SIGHUP back, or has begun its imports without that."""
    status = Path(f"/proc/{pid}/status").read_text()
    numbers = dict(re.findall(r"^(SigBlk|SigCgt|VmRSS):\s+(\w+)", status, re.MULTILINE))
    held = (int(numbers["SigBlk"], 16) | int(numbers["SigCgt"], 16)) & 1  # SIGHUP is number 1
    return bool(held) or int(numbers.get("VmRSS", 0)) > IMPORTING_KB


class _Trial:
    """One service under load whose checkpoint changes."""

    def __init__(self, service: Service, folder: Path, by_signal: bool) -> None:
        self.service, self.folder, self.by_signal = service, folder, by_signal
        self.balancer = Balancer([service.port], ready={service.port})
        self.taken, self.slowest_s = 0, 0.0
        self.refused = self.still_drawing = False

    async def run(self, reloads: int) -> "_Trial":
        done = asyncio.Event()
        load = asyncio.create_task(self.balancer.load(USUAL, RATE, done))
        await asyncio.to_thread(self._change, reloads)
        done.set()
        await load
        return self

    def _change(self, reloads: int) -> None:
        for number in range(reloads):
            wanted = self._put(_altered(self.folder, number))
            begun = time.monotonic()
            self.taken += self._wait(lambda: self._models() == {wanted.model_hash})  # noqa: B023
            self.slowest_s = max(self.slowest_s, time.monotonic() - begun)
        before = self._models()
        (self.folder / WEIGHTS).write_bytes(b"damaged")
        self._tell()
        self.refused = self._wait(lambda: REFUSED in self.service.log)
        self.still_drawing = self._models() == before and self.service.status(USUAL) == 200

    def _put(self, fresh: Path) -> Checkpoint:
        exchange(fresh, self.folder)
        shutil.rmtree(fresh)
        self._tell()
        return read_checkpoint(self.folder)

    def _tell(self) -> None:
        if self.by_signal:
            self.service.signal(signal.SIGHUP)

    def _models(self) -> set[str]:
        """Models of the workers; each connection may reach a different worker."""
        return {json.loads(self.service.get("/readyz"))["model"] for _ in range(12)}

    def _wait(self, condition: Callable[[], bool]) -> bool:
        limit = time.monotonic() + LIMIT_S
        while not (found := condition()) and time.monotonic() < limit:
            time.sleep(0.02)
        return found


def _altered(folder: Path, number: int) -> Path:
    """A valid checkpoint beside the folder, with another model hash."""
    fresh = Path(shutil.copytree(folder, folder.with_name("fresh")))
    content = bytearray((fresh / WEIGHTS).read_bytes())
    content[-4] ^= 1 + number % 3  # the last weight, slightly
    (fresh / WEIGHTS).write_bytes(content)
    sign(fresh)
    return fresh
