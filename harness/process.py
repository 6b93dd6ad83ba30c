"""What processes hold and use, read from /proc: memory, threads, processor time. Linux only."""

import os
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


def workers(pid: int) -> list[int]:
    """Process ids of the workers of a supervisor: its children, or those of its fork server.

    Two other processes of multiprocessing, the fork server and the resource tracker, do not count.
    """
    found = []
    for child in _children(pid):
        command = _command(child)
        if "forkserver" in command:
            found += _children(child)
        elif "resource_tracker" not in command:
            found.append(child)
    return found


def _children(pid: int) -> list[int]:
    return list(map(int, (PROC / f"{pid}/task/{pid}/children").read_text().split()))


def holding(pids: Iterable[int]) -> Holding:
    """What these processes hold together now."""
    found = [_holding(pid) for pid in pids]
    return Holding(
        sum(one.memory_mb for one in found),
        sum(one.threads for one in found),
        sum(one.descriptors for one in found),
    )


def forget_peak(pid: int) -> None:
    """Reset the peak of a process's memory."""
    (PROC / f"{pid}/clear_refs").write_text("5")


def peak_mb(pid: int) -> float:
    """The most resident memory of a process since `forget_peak`, in MB (10^6 bytes)."""
    status = (PROC / f"{pid}/status").read_text()
    (peak,) = re.findall(r"^VmHWM:\s+(\d+)", status, re.MULTILINE)
    return int(peak) * 1024 / 1e6


def processor_s(pid: int) -> float:
    """The processor time that a process has used, in seconds."""
    fields = (PROC / f"{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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
