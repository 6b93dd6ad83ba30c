"""The figures that are taken of a service."""

import math
import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """What one run of wrk saw.

    Attributes:
        cpu_us: processor time of the service for one request, with all its processes; steadier
            than the rest where others use the machine too. NaN where nobody looked.
    """

    requests_per_s: float
    p50_us: float
    p99_us: float
    cpu_us: float = math.nan


@dataclass(frozen=True)
class Memory:
    """Of a process and all its children, in MB (10^6 bytes).

    Attributes:
        resident: the sum of what each has in memory: shared pages count once for each.
        proportional: shared pages are divided among those who share them.
    """

    resident: float
    proportional: float


def median(loads: list[Load]) -> Load:
    """Each figure's median over the rounds."""
    return Load(
        statistics.median(load.requests_per_s for load in loads),
        statistics.median(load.p50_us for load in loads),
        statistics.median(load.p99_us for load in loads),
        statistics.median(load.cpu_us for load in loads),
    )
