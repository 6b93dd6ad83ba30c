"""More requests than can be drawn: some are answered as fast as ever, the rest refused at once."""

from collections.abc import Iterator

from torture.load import Load, Outcome, percentile, run_load
from torture.scale import Scale
from torture.service import Service, on_core, running
from torture.verdict import Verdict

PATH = "/generate?digits=2018"
UNLOADED = 0.1  # of saturation
TIMES = (2, 10)
P99_TIMES = 5
REFUSED_MS = 50
PROBE_MS = 100
GROWTH_MB = 10
REACHED = 0.9  # of the load that was meant to be sent


def saturation(service: Service, seconds: float) -> float:
    """Drawings a second, when 16 clients ask again as soon as they are answered."""
    with on_core(0):
        endless = run_load(Load(service.port, PATH, rate=1e9, seconds=seconds, connections=16))
    return endless.statuses.get("200", 0) / endless.seconds


def send(service: Service, rate: float, seconds: float) -> Outcome:
    """An open-loop load of the usual request."""
    with on_core(0):
        return run_load(Load(service.port, PATH, rate, seconds))


def try_overload(scale: Scale) -> Iterator[Verdict]:
    """Load at 2 and 10 times saturation."""
    with on_core(1), running() as service:
        most = saturation(service, scale.load_s)
        unloaded = percentile(send(service, most * UNLOADED, scale.load_s).answered_ms, 99)
        before = service.holding().memory_mb
        for times in TIMES:
            outcome = send(service, most * times, scale.load_s)
            yield from judge(outcome, times, most, unloaded)
        growth = service.holding().memory_mb - before
    yield Verdict(
        "overload: memory flat", f"{growth:+.1f} MB", f"< {GROWTH_MB} MB", growth < GROWTH_MB
    )


def judge(outcome: Outcome, times: int, most: float, unloaded: float) -> Iterator[Verdict]:
    """What one load found.

    Args:
        outcome: of the load.
        times: of saturation that it was meant to be.
        most: saturation, in drawings a second.
        unloaded: p99 without load, in milliseconds.
    """
    name, real = f"overload x{times}", outcome.rate / most
    answered, refused = outcome.statuses.get("200", 0), outcome.statuses.get("503", 0)
    yield Verdict(
        f"{name}: only answers and refusals",
        f"{answered} x 200, {refused} x 503, {outcome.strange} else",
        "0 else, 0 without Retry-After",
        not outcome.strange and not outcome.without_retry,
    )
    p99 = percentile(outcome.answered_ms, 99)
    yield Verdict(
        f"{name}: p99 of the answered",
        f"{p99:.1f} ms, {p99 / unloaded:.1f} x unloaded; sent at x{real:.1f}",
        f"<= {P99_TIMES} x {unloaded:.1f} ms; sent at x{times * REACHED:g} or more",
        p99 <= P99_TIMES * unloaded and real >= times * REACHED,
        timed=True,
    )
    late, latest = percentile(outcome.refused_ms, 99), max(outcome.refused_ms, default=0)
    yield Verdict(
        f"{name}: refusals come at once",
        f"p99 {late:.1f} ms, last {latest:.1f} ms",
        f"<= {REFUSED_MS} ms",
        late <= REFUSED_MS or not refused,
        timed=True,
    )
    slowest = max(outcome.probe_ms, default=float("inf"))
    yield Verdict(
        f"{name}: probes answer",
        f"slowest {slowest:.1f} ms",
        f"<= {PROBE_MS} ms",
        slowest <= PROBE_MS,
        timed=True,
    )
