"""`make bench`: how fast the service starts, how much memory it takes, what a picture costs.

Each figure comes from real processes and real HTTP on the loopback. A picture is timed against
`/livez` in the same run, in alternating rounds: the ratio is what can be compared between
machines, the times are not.
"""

import http.client
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parent.parent
STARTS = 7
ROUNDS = 10
REQUESTS_A_ROUND = 200
START_LIMIT_S = 60


@contextmanager
def service(engine: str) -> Iterator[tuple[int, int, float]]:
    """A service of its own: its port, its process id, seconds from its start to its first digit."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "--port", str(port), "--engine", engine],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        _first_digit(port)
        yield port, process.pid, time.perf_counter() - started
    finally:
        process.terminate()
        process.wait()


def _first_digit(port: int) -> None:
    limit = time.monotonic() + START_LIMIT_S
    while time.monotonic() < limit:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        try:
            connection.request("GET", "/generate?digits=2018")
            if connection.getresponse().status == 200:
                return
        except ConnectionRefusedError:
            time.sleep(0.005)
        finally:
            connection.close()
    raise SystemExit(f"The service gave no digit within {START_LIMIT_S} s; run `make serve`.")


def memory_mb(pid: int) -> float:
    """Resident memory of a process in MB (10^6 bytes); NaN where there is no /proc."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except FileNotFoundError:
        return float("nan")
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def request_times_us(port: int, paths: list[str]) -> dict[str, float]:
    """Median microseconds of one request on one kept connection, for each path."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    times: dict[str, list[float]] = {path: [] for path in paths}
    for path in paths * ROUNDS:
        for _ in range(REQUESTS_A_ROUND):
            started = time.perf_counter()
            connection.request("GET", path)
            connection.getresponse().read()
            times[path].append((time.perf_counter() - started) * 1e6)
    connection.close()
    return {path: statistics.median(values) for path, values in times.items()}


def measure(engine: str) -> list[str]:
    """One row of the table."""
    starts, memories = [], []
    for _ in range(STARTS):
        with service(engine) as (_, pid, seconds):
            starts.append(seconds)
            memories.append(memory_mb(pid))
    with service(engine) as (port, pid, _):
        paths = ["/livez", "/generate?digits=2018", "/generate?digits=" + "2018" * 16]
        times = request_times_us(port, paths)
        after = memory_mb(pid)
    live, four, many = (times[path] for path in paths)
    return [
        engine,
        f"{statistics.median(starts):.2f} s (worst {max(starts):.2f})",
        f"{statistics.median(memories):.0f} MB",
        f"{after:.0f} MB",
        f"{live:.0f} us",
        f"{four:.0f} us ({four / live:.2f} x)",
        f"{many:.0f} us ({many / live:.2f} x)",
    ]


def main() -> None:
    """Measure both engines and print a table."""
    console = Console()
    requests = ROUNDS * REQUESTS_A_ROUND
    table = Table(title=f"{STARTS} starts and {requests} requests each, medians")
    for column in ("engine", "first digit", "memory then", "memory after", "/livez", "2018"):
        table.add_column(column)
    table.add_column("64 digits")
    for engine in ("onnx", "torch"):
        with console.status(f"measuring the {engine} engine"):
            table.add_row(*measure(engine))
    console.print(table)
    console.print(
        "One connection, one process. Not measured here: many connections, other servers."
    )


if __name__ == "__main__":
    main()
