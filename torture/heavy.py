"""The most expensive requests allowed: bounded in time and memory, and in number at once."""

import threading
import time
from collections import Counter
from collections.abc import Iterator

from harness.launcher import Answer, Service, running
from torture.load import percentile
from torture.overload import send
from torture.scale import Scale
from torture.verdict import Verdict

TIME_S = 15  # alone, on one core
MEMORY_MB = 500  # of the service, under any load
RATE = 100  # requests a second
LIGHT_MS = 100
LINE = "8" * 64
EXPENSIVE = (
    f"/generate?digits={LINE}&rows=4&scale=6&format=webp&ink=123456",
    f"/generate?digits={LINE}&rows=16&scale=3&spacing=tight",
    f"/generate?digits={LINE}&rows=16&format=svg&variation=0.5",
    f"/generate?digits={LINE}&rows=16&scale=3&format=json",
    f"/morph?from={'1' * 16}&to={'8' * 16}&frames=110&scale=3&format=webp",
    f"/morph?from={'1' * 16}&to={'8' * 16}&frames=110&scale=3&format=gif",
    f"/morph?from={'1' * 16}&to={'8' * 16}&frames=110&scale=3&format=apng&paper=transparent",
    "/latent-map?digit=8&cells=32&scale=4&format=webp&ink=123456",
    "/latent-map?digit=8&cells=32&scale=4&format=svg",
    "/dataset?count=60000&seed=1&format=zip&variation=0.5",
)


def try_heavy(scale: Scale) -> Iterator[Verdict]:
    """Each alone, then a crowd of them beside light requests."""
    with running() as service:
        slowest, name, statuses = 0.0, "", Counter[int]()
        for path in EXPENSIVE[: scale.heavy]:
            begun = time.monotonic()
            statuses[service.ask(path).status] += 1
            if (took := time.monotonic() - begun) > slowest:
                slowest, name = took, path
        yield Verdict(
            "the most expensive requests are bounded in time",
            f"slowest {slowest:.1f} s ({name[:34]}..., {name.rsplit('format=', 1)[-1]})",
            f"<= {TIME_S} s alone",
            slowest <= TIME_S,
            timed=True,
        )
        yield Verdict(
            "the most expensive requests are answered",
            f"{statuses[200]} of {scale.heavy}",
            "all",
            statuses[200] == scale.heavy,
        )
        yield from _crowd(service, scale)


def _crowd(service: Service, scale: Scale) -> Iterator[Verdict]:
    answers: list[Answer] = []
    threads = [
        threading.Thread(target=lambda p=path: answers.append(service.ask(p)))
        for path in (EXPENSIVE[: scale.heavy] * scale.crowd)[: scale.crowd]
    ]
    for thread in threads:
        thread.start()
    light = send(service, RATE, scale.load_s)
    peak = 0.0
    while any(thread.is_alive() for thread in threads):
        peak = max(peak, service.holding().memory_mb)
        time.sleep(0.05)
    statuses = Counter(answer.status for answer in answers)
    without_retry = sum(a.status == 503 and "Retry-After" not in a.headers for a in answers)
    others = scale.crowd - statuses[200] - statuses[503] + light.strange
    yield Verdict(
        f"{scale.crowd} of the most expensive at once: a bounded queue, the rest refused",
        f"{statuses[200]} x 200, {statuses[503]} x 503, {others} else, "
        f"{without_retry} without Retry-After",
        "some 503, 0 else, 0 without",
        statuses[503] > 0 and not others and not without_retry,
    )
    p99 = percentile(light.answered_ms, 99)
    yield Verdict(
        "light requests beside them",
        f"p99 {p99:.0f} ms",
        f"<= {LIGHT_MS} ms",
        p99 <= LIGHT_MS,
        timed=True,
    )
    yield Verdict(
        "memory of the service meanwhile",
        f"{peak:.0f} MB",
        f"<= {MEMORY_MB} MB",
        peak <= MEMORY_MB,
    )
