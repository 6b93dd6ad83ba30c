"""More requests than can be drawn: some are answered as fast as ever, the rest refused at once."""

from collections.abc import Iterator

from torture.load import Load, Outcome, percentile, run_load
from torture.scale import Scale
from torture.service import Service, on_core, running
from torture.verdict import Verdict

USUAL = "/generate?digits=2018"
ASKED = {"": USUAL, " by 64 digits": f"/generate?digits={'2018' * 16}", " by pages": "/"}
UNLOADED = 0.1  # of saturation
TIMES = (2, 10)
P99_TIMES = 5
REFUSED_MS = 50
PROBE_MS = 100
GROWTH_MB = 10
REACHED = 0.9  # of the load that was meant to be sent


def saturation(service: Service, seconds: float, path: str = USUAL) -> float:
    """Answers a second, when 16 clients ask again as soon as they are answered."""
    with on_core(0):
        endless = run_load(Load(service.port, path, rate=1e9, seconds=seconds, connections=16))
    return endless.statuses.get("200", 0) / endless.seconds


def send(service: Service, rate: float, seconds: float, path: str = USUAL) -> Outcome:
    """An open-loop load of one request, if not another the usual one."""
    with on_core(0):
        return run_load(Load(service.port, path, rate, seconds))


def try_overload(scale: Scale) -> Iterator[Verdict]:
    """Load at 2 and 10 times saturation, of requests that cost little and much."""
    for kind, path in ASKED.items():
        with on_core(1), running() as service:
            yield from _overload(service, scale.load_s, kind, path)


def _overload(service: Service, seconds: float, kind: str, path: str) -> Iterator[Verdict]:
    most = saturation(service, seconds, path)
    unloaded = percentile(send(service, most * UNLOADED, seconds, path).answered_ms, 99)
    before = service.holding().memory_mb
    for times in TIMES:
        outcome = send(service, most * times, seconds, path)
        yield from judge(f"overload x{times}{kind}", outcome, times, most, unloaded)
    growth = service.holding().memory_mb - before
    yield Verdict(
        f"overload{kind}: memory flat", f"{growth:+.1f} MB", f"< {GROWTH_MB} MB", growth < GROWTH_MB
    )


def judge(
    name: str, outcome: Outcome, times: int, most: float, unloaded: float
) -> Iterator[Verdict]:
    """What one load found.

    Args:
        name: of the load.
        outcome: of it.
        times: of saturation that it was meant to be.
        most: saturation, in answers a second.
        unloaded: p99 without load, in milliseconds.
    """
    real = outcome.rate / most
    answered, refused = outcome.statuses.get("200", 0), outcome.statuses.get("503", 0)
    yield Verdict(
        f"{name}: only answers and refusals",
        f"{answered} x 200 ({answered / outcome.seconds / most:.0%} of what can be drawn), "
        f"{refused} x 503, {outcome.strange} else",
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
