"""What processes hold, read from /proc: memory, threads, file descriptors. Linux only."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Holding:
    """What some processes hold together.

    Attributes:
        memory_mb: resident memory in MB (10^6 bytes); shared pages count once per process.
        threads: number of threads.
        descriptors: number of open file descriptors.
    """

    memory_mb: float
    threads: int
    descriptors: int


def children(pid: int) -> list[int]:
    """Process ids of the children, without the resource tracker of multiprocessing."""
    found = map(int, (PROC / f"{pid}/task/{pid}/children").read_text().split())
    return [child for child in found if "resource_tracker" not in _command(child)]


def holding(pids: Iterable[int]) -> Holding:
    """What these processes hold together now."""
    found = [_holding(pid) for pid in pids]
    return Holding(
        sum(one.memory_mb for one in found),
        sum(one.threads for one in found),
        sum(one.descriptors for one in found),
    )


def _holding(pid: int) -> Holding:
    status = (PROC / f"{pid}/status").read_text()
    numbers = dict(re.findall(r"^(VmRSS|Threads):\s+(\d+)", status, re.MULTILINE))
    descriptors = len(list((PROC / f"{pid}/fd").iterdir()))
    return Holding(int(numbers["VmRSS"]) * 1024 / 1e6, int(numbers["Threads"]), descriptors)


def _command(pid: int) -> str:
    try:
        return (PROC / f"{pid}/cmdline").read_text()
    except OSError:
        return ""
