"""Load from wrk, in a process of its own: requests a second and latencies of one request."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.figure import Load

POST = Path(__file__).with_name("post.lua")
UNITS_US = {"us": 1.0, "ms": 1e3, "s": 1e6, "m": 60e6}
LATENCY = re.compile(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s|m)[ ]*$", re.MULTILINE)
RATE = re.compile(r"^Requests/sec:\s+([\d.]+)$", re.MULTILINE)
FAILURE = re.compile(r"^\s*(Non-2xx or 3xx responses: .+|Socket errors: .+)$", re.MULTILINE)


class LoadError(Exception):
    """A load cannot be judged, because wrk is missing or requests failed; one full sentence."""


@dataclass(frozen=True)
class Request:
    """What is sent repeatedly: a GET, or a POST of JSON if there is a body."""

    path: str
    json: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def require_wrk() -> None:
    """Check that wrk can be run.

    Raises:
        LoadError: it is not installed.
    """
    if shutil.which("wrk") is None:
        raise LoadError(
            "The benchmark needs wrk, which is not installed; "
            "run `apt-get install wrk` or `brew install wrk`."
        )


def run_wrk(address: str, request: Request, connections: int, seconds: int) -> Load:
    """Send a request for some seconds, on each connection as soon as the last is answered.

    Args:
        address: `http://host:port`.
        request: what to send.
        connections: kept open, each with one request in progress.
        seconds: how long.
    Raises:
        LoadError: a request failed.
    """
    with start_wrk(address, request, connections, seconds) as process:
        text = process.communicate()[0]
    return parse_wrk(text, request.path)


def start_wrk(
    address: str, request: Request, connections: int, seconds: int
) -> subprocess.Popen[str]:
    """Start the same in the background; `parse_wrk` reads what it prints."""
    command = ["wrk", "--latency", "-t1", f"-c{connections}", f"-d{seconds}s"]
    for name, value in request.headers.items():
        command += ["-H", f"{name}: {value}"]
    command.append(address + request.path)
    if request.json is not None:
        command += ["-s", str(POST), "--", request.json]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def parse_wrk(text: str, path: str) -> Load:
    """The figures that wrk printed.

    Raises:
        LoadError: a request failed, or there was no answer.
    """
    if failure := FAILURE.search(text):
        raise LoadError(f"The load on {path[:60]} failed: {failure[1]}.")
    rate = RATE.search(text)
    latency = {percent: float(n) * UNITS_US[unit] for percent, n, unit in LATENCY.findall(text)}
    if rate is None or set(latency) != {"50", "99"} or not float(rate[1]):
        raise LoadError(f"The load on {path[:60]} got no answer; wrk printed {text!r}.")
    return Load(float(rate[1]), latency["50"], latency["99"])
