"""A long ordinary load: nothing may grow."""

import time
from collections.abc import Iterator

from harness.core import SERVICE_CORE, on_core
from harness.launcher import LIMIT_S, Service, running
from harness.process import Holding
from torture.load import percentile
from torture.overload import saturation, send
from torture.scale import Scale
from torture.verdict import Verdict

PAUSE_S = 0.5
LOAD = 0.7  # of saturation
GROWTH_MB = 5
WARM_SHARE = 0.1  # of the time, before the first measurement


def try_soak(scale: Scale) -> Iterator[Verdict]:
    """A steady load for `scale.soak_s` seconds."""
    with on_core(SERVICE_CORE), running() as service:
        rate = LOAD * saturation(service, scale.load_s)
        send(service, rate, max(1, scale.soak_s * WARM_SHARE))
        before = _settled(service)
        outcome = send(service, rate, scale.soak_s)
        after = _settled(service)
    growth = after.memory_mb - before.memory_mb
    refused = outcome.statuses.get("503", 0)
    yield Verdict(
        f"soak {scale.soak_s:.0f} s: all answered",
        f"{outcome.sent} requests, {outcome.rate:.0f}/s: {refused} x 503, {outcome.strange} else; "
        f"p99 {percentile(outcome.answered_ms, 99):.1f} ms",
        "0 else",
        not outcome.strange,
    )
    yield Verdict(
        "soak: memory growth", f"{growth:+.1f} MB", f"< {GROWTH_MB} MB", growth < GROWTH_MB
    )
    yield Verdict(
        "soak: threads and descriptors",
        f"{before.threads} -> {after.threads}, {before.descriptors} -> {after.descriptors}",
        "constant",
        (before.threads, before.descriptors) == (after.threads, after.descriptors),
    )


def _settled(service: Service) -> Holding:
    """What the service holds, once it has closed the connections of the load."""
    limit, found = time.monotonic() + LIMIT_S, service.holding()
    while time.monotonic() < limit:
        time.sleep(PAUSE_S)
        before, found = found, service.holding()
        if (before.threads, before.descriptors) == (found.threads, found.descriptors):
            break
    return found
