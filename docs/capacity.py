"""`make capacity`: docs/capacity.md, computed from what `make bench` measured.

Every number on that page is a measurement in docs/benchmark.json, an assumption named here, or
computed from these.
"""

import json
import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

HERE = Path(__file__).parent
BENCHMARK = HERE / "benchmark.json"
PAGE = HERE / "capacity.md"
TEMPLATE = HERE / "capacity.template.md"

DIGITS = 4  # in a request of the benchmark
CONNECTIONS = "16"
UTILISATION = 0.7  # of a core, as deploy/kubernetes/base/autoscaler.yaml aims at
LIMIT = 20  # replicas, there too
LOADS = (10**3, 10**5, 10**7)  # requests a second
SEEDED = 0.95  # assumption: share of requests with a seed
HITS = 0.99  # assumption: share of those that a CDN answers from its cache
PRICE = 0.04  # assumption: US dollars for an hour of one core


@dataclass(frozen=True)
class Capacity:
    """What one core can do.

    Attributes:
        requests_per_s: of 4 digits each; every picture is drawn.
        long_requests_per_s: of 64 digits each.
        unchanged_per_s: answers 304 to clients that have the picture already.
        replica_mb: memory of a replica, in MB (10^6 bytes).
        picture_bytes: of a PNG of four digits.
    """

    requests_per_s: float
    long_requests_per_s: float
    unchanged_per_s: float
    replica_mb: float
    picture_bytes: int

    @classmethod
    def read(cls, benchmark: Mapping[str, Any]) -> Self:
        """From the document that `make bench` writes."""

        def rate(case: str) -> float:
            rounds = benchmark["loads"][case][CONNECTIONS]
            return float(statistics.median(each["requests_per_s"] for each in rounds))

        return cls(
            rate("ours"),
            rate("digits: 64"),
            rate("ours, 304"),
            benchmark["memories"]["ours"]["resident"],
            (HERE / "2018.png").stat().st_size,
        )

    def replicas(self, requests_per_s: float) -> int:
        """Number of replicas of one core each for a load."""
        return math.ceil(requests_per_s / (self.requests_per_s * UTILISATION))

    def dollars_per_million_digits(self, requests_per_s: float, digits: int) -> float:
        """Price for requests of `digits` digits, of which a core answers `requests_per_s`."""
        digits_per_hour = requests_per_s * UTILISATION * digits * 3600
        return PRICE / digits_per_hour * 10**6


def origin_load(requests_per_s: float) -> float:
    """Requests a second that a CDN passes on: pictures without a seed, and those not cached."""
    return requests_per_s * (1 - SEEDED * HITS)


def page(capacity: Capacity, measured: str) -> str:
    """The content of docs/capacity.md; `measured` is the date of the measurement."""
    rows = "\n".join(_row(capacity, load) for load in LOADS)
    short = capacity.dollars_per_million_digits(capacity.requests_per_s, DIGITS)
    long = capacity.dollars_per_million_digits(capacity.long_requests_per_s, 64)
    return TEMPLATE.read_text().format(
        measured=measured,
        rate=capacity.requests_per_s,
        unchanged=capacity.unchanged_per_s,
        long_rate=capacity.long_requests_per_s,
        memory=capacity.replica_mb,
        utilisation=UTILISATION,
        usable=capacity.requests_per_s * UTILISATION,
        rows=rows,
        limit=LIMIT,
        limit_load=LIMIT * capacity.requests_per_s * UTILISATION,
        seeded=SEEDED,
        hits=HITS,
        through=1 - SEEDED * HITS,
        picture=capacity.picture_bytes,
        gigabits=LOADS[-1] * capacity.picture_bytes * 8 / 1e9,
        price=PRICE,
        short=short,
        long=long,
    )


def _row(capacity: Capacity, load: int) -> str:
    alone, behind = capacity.replicas(load), capacity.replicas(origin_load(load))
    memory = alone * capacity.replica_mb / 1000
    hour = alone * PRICE, behind * PRICE
    return (
        f"| {load:,} | {alone:,} | {memory:,.1f} GB | ${hour[0]:,.2f} "
        f"| {origin_load(load):,.0f} | {behind:,} | ${hour[1]:,.2f} |"
    )


def main() -> None:
    """Write the page."""
    benchmark = json.loads(BENCHMARK.read_text())
    PAGE.write_text(current(benchmark))


def current(benchmark: Mapping[str, Any]) -> str:
    """The page for the document of a benchmark."""
    return page(Capacity.read(benchmark), benchmark["machine"]["date"][:10])


if __name__ == "__main__":
    main()
