"""SIGKILL of one of two workers under load: the other serves on, and a new one comes soon."""

import os
import signal
import time
from collections.abc import Callable, Iterator

from torture.overload import USUAL
from torture.scale import Scale
from torture.service import running
from torture.verdict import Verdict

BACK_S = 2
LIMIT_S = 60
PAUSE_S = 0.01
SETTLE_S = 1.5  # a worker that dies younger than a second is given a rest first
READY = "Application startup complete"


def try_worker(scale: Scale) -> Iterator[Verdict]:
    """Kill one after the other."""
    slowest, failed, asked = 0.0, 0, 0
    with running("--workers", "2") as service:
        _wait_until(lambda: service.log.count(READY) == 2)
        for _ in range(scale.worker_kills):
            time.sleep(SETTLE_S)
            started = service.log.count(READY)
            os.kill(service.workers()[0], signal.SIGKILL)
            begun = time.monotonic()
            while service.log.count(READY) == started and time.monotonic() < begun + LIMIT_S:
                asked += 1
                failed += service.status(USUAL) != 200
                time.sleep(PAUSE_S)
            slowest = max(slowest, time.monotonic() - begun)
    # A connection that the dead worker had accepted and not answered is lost with it: one a kill.
    yield Verdict(
        f"worker killed {scale.worker_kills} times: back",
        f"slowest after {slowest:.2f} s",
        f"<= {BACK_S} s",
        slowest <= BACK_S,
        timed=True,
    )
    yield Verdict(
        "worker killed: the other serves meanwhile",
        f"{failed} of {asked} requests failed",
        f"<= {scale.worker_kills}, those it was killed with",
        failed <= scale.worker_kills and asked > 0,
    )


def _wait_until(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + LIMIT_S
    while not condition() and time.monotonic() < limit:
        time.sleep(0.01)
