"""The figures of a service."""

import math
import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """The figures of one run of wrk.

    Attributes:
        requests_per_s: answers a second.
        p50_us: median latency in microseconds.
        p99_us: 99th percentile of the latency in microseconds.
        cpu_us: processor time of the service per request, with all its processes, in microseconds;
            the steadiest figure on a busy machine. NaN where it was not measured.
    """

    requests_per_s: float
    p50_us: float
    p99_us: float
    cpu_us: float = math.nan


@dataclass(frozen=True)
class Memory:
    """Memory of a process and all its children, in MB (10^6 bytes).

    Attributes:
        resident: shared pages count once per process.
        proportional: shared pages are divided among the processes that share them.
    """

    resident: float
    proportional: float


def median(loads: list[Load]) -> Load:
    """The median of each figure over the rounds."""
    return Load(
        statistics.median(load.requests_per_s for load in loads),
        statistics.median(load.p50_us for load in loads),
        statistics.median(load.p99_us for load in loads),
        statistics.median(load.cpu_us for load in loads),
    )
