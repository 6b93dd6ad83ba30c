"""More requests than the service can draw: accepted ones stay fast, the rest are refused."""

from collections.abc import Iterator
from functools import partial

from harness.core import LOAD_CORE, SERVICE_CORE, on_core
from harness.launcher import Service, running
from harness.nginx import nginx
from torture.load import Load, Outcome, percentile, run_load
from torture.scale import Scale
from torture.verdict import Verdict

USUAL = "/generate?digits=2018"
REQUESTS = {"4 digits": USUAL, "64 digits": f"/generate?digits={'2018' * 16}", "the page": "/"}
UNLOADED = 0.1  # of saturation
P99_TIMES = 5
REFUSED_MS = 50
PROBE_MS = 100
FLOOD_PROBE_MS = 1000
GROWTH_MB = 10
REACHED = 0.9  # of the intended load
CLIENTS = 1000  # behind the proxy, which limits each of them


def saturation(
    service: Service, seconds: float, path: str = USUAL, headers: tuple[str, ...] = ()
) -> float:
    """Answers a second when 16 clients each send a request as soon as the last is answered.

    Raises:
        AssertionError: none was answered.
    """
    endless = Load(service.port, path, 1e9, seconds, connections=16, headers=headers)
    with on_core(LOAD_CORE):
        outcome = run_load(endless)
    if not outcome.answered_ms:
        raise AssertionError(f"no request of {path} was answered in {outcome.seconds:.1f} s")
    return len(outcome.answered_ms) / outcome.seconds


def send(
    service: Service, rate: float, seconds: float, path: str = USUAL, many_clients: bool = False
) -> Outcome:
    """The outcome of an open-loop load, from one client or from many."""
    load = Load(service.port, path, rate, seconds)
    if many_clients:
        load = Load(service.port, path, rate, seconds, CLIENTS, many_clients=True)
    with on_core(LOAD_CORE):
        return run_load(load)


def try_overload(scale: Scale) -> Iterator[Verdict]:
    """2 and 10 times saturation without a proxy, by requests of different cost."""
    for kind, path in REQUESTS.items():
        with on_core(SERVICE_CORE), running() as service:
            most = saturation(service, scale.load_s, path)
            load = partial(send, service, seconds=scale.load_s, path=path)
            unloaded = percentile(load(most * UNLOADED).answered_ms, 99)
            before = service.holding().memory_mb
            twice, flood = load(most * 2), load(most * 10)
            growth = service.holding().memory_mb - before
        yield _orderly(f"overload x2 by {kind}", twice, most)
        yield from _fast(f"overload x2 by {kind}", twice, 2 * most, unloaded)
        yield _orderly(f"overload x10 by {kind}", flood, most)
        yield probes(f"overload x10 by {kind}", flood, FLOOD_PROBE_MS)
        yield _flat(f"overload by {kind}", growth)


def try_overload_behind_nginx(scale: Scale) -> Iterator[Verdict]:
    """10 times saturation by many clients of the shipped proxy, which sheds most of it.

    The proxy shares a core with the service. Of cheaper requests, ten times saturation is more
    than it can refuse there.
    """
    kind = "64 digits"
    name, path = f"overload x10 by {kind} behind nginx", REQUESTS[kind]
    with on_core(SERVICE_CORE), running() as service, nginx(service.port) as proxy:
        most = saturation(service, scale.load_s, path)
        load = partial(send, proxy, seconds=scale.load_s, path=path, many_clients=True)
        unloaded = percentile(load(most * UNLOADED).answered_ms, 99)
        before = service.holding().memory_mb
        flood = load(most * 10)
        growth = service.holding().memory_mb - before
    yield _orderly(name, flood, most)
    yield from _fast(name, flood, 10 * most, unloaded)
    yield _flat(name, growth)


def _orderly(name: str, outcome: Outcome, most: float) -> Verdict:
    answered, refused = outcome.statuses.get("200", 0), outcome.statuses.get("503", 0)
    return Verdict(
        f"{name}: only answers and refusals",
        f"{answered} x 200 ({answered / outcome.seconds / most:.0%} of saturation), "
        f"{refused} x 503, {outcome.strange} else, {outcome.without_retry} without Retry-After",
        "0 else, 0 without",
        not outcome.strange and not outcome.without_retry,
    )


def _fast(name: str, outcome: Outcome, rate: float, unloaded: float) -> Iterator[Verdict]:
    """Whether answers, refusals and probes come in time.

    Args:
        name: of the load.
        outcome: of the load.
        rate: that was intended, in requests a second.
        unloaded: p99 without load, in milliseconds.
    """
    p99, reached = percentile(outcome.answered_ms, 99), outcome.rate / rate
    yield Verdict(
        f"{name}: p99 of the answered",
        f"{p99:.1f} ms, {p99 / unloaded:.1f} x unloaded; {reached:.0%} of the load sent",
        f"<= {P99_TIMES} x {unloaded:.1f} ms; {REACHED:.0%} or more sent",
        p99 <= P99_TIMES * unloaded and reached >= REACHED,
        timed=True,
    )
    late, latest = percentile(outcome.refused_ms, 99), max(outcome.refused_ms, default=0)
    yield Verdict(
        f"{name}: refusals come quickly",
        f"p99 {late:.1f} ms, slowest {latest:.1f} ms",
        f"p99 <= {REFUSED_MS} ms",
        late <= REFUSED_MS or not outcome.refused_ms,
        timed=True,
    )
    yield probes(name, outcome)


def probes(name: str, outcome: Outcome, limit_ms: float = PROBE_MS) -> Verdict:
    """Whether the probes beside a load were answered in time."""
    slowest = max(outcome.probe_ms, default=float("inf"))
    return Verdict(
        f"{name}: probes answer",
        f"slowest {slowest:.1f} ms",
        f"<= {limit_ms} ms",
        slowest <= limit_ms,
        timed=True,
    )


def _flat(name: str, growth: float) -> Verdict:
    figure, limit = f"{growth:+.1f} MB", f"< {GROWTH_MB} MB"
    return Verdict(f"{name}: memory flat", figure, limit, growth < GROWTH_MB)
