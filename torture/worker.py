"""One of two workers is killed or hangs: the other serves, and a new one takes its place."""

import os
import signal
import time
from collections.abc import Iterator

from app.server.supervisor import HUNG_S
from harness.launcher import STARTED, Service, running
from torture.overload import USUAL
from torture.scale import Scale
from torture.verdict import Verdict

BACK_S = 2
HUNG_BACK_S = HUNG_S + 5
LIMIT_S = 60
PAUSE_S = 0.01
SETTLE_S = 1.5  # a worker that dies within its first second is not replaced at once


def try_worker(scale: Scale) -> Iterator[Verdict]:
    """Kill a worker several times; then stop one, if `scale.patient`."""
    slowest, failed, asked = 0.0, 0, 0
    with running(workers=2) as service:
        for _ in range(scale.worker_kills):
            time.sleep(SETTLE_S)
            statuses, back_s = _replaced(service, signal.SIGKILL)
            asked += len(statuses)
            failed += len(statuses) - statuses.count(200)
            slowest = max(slowest, back_s)
        if scale.patient:
            _, hung_back_s = _replaced(service, signal.SIGSTOP)
            yield Verdict(
                "worker hangs: replaced",
                f"after {hung_back_s:.1f} s",
                f"<= {HUNG_BACK_S} s",
                hung_back_s <= HUNG_BACK_S,
                timed=True,
            )
    # A connection that the worker had accepted but not answered is lost with it: one per kill.
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
        f"<= {scale.worker_kills}, one per kill",
        failed <= scale.worker_kills and asked > 0,
    )


def _replaced(service: Service, number: signal.Signals) -> tuple[list[int], float]:
    """Statuses of requests until a new worker has started, and seconds until then."""
    started = service.log.count(STARTED)
    os.kill(service.workers()[0], number)
    begun, statuses = time.monotonic(), []
    while service.log.count(STARTED) == started and time.monotonic() < begun + LIMIT_S:
        statuses.append(service.status(USUAL))
        time.sleep(PAUSE_S)
    return statuses, time.monotonic() - begun
