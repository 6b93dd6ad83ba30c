"""Load from wrk, a process of its own: requests a second and latencies of one request."""

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
    """A load that says nothing: wrk is missing, or answers failed; one full sentence."""


@dataclass(frozen=True)
class Request:
    """What is sent, again and again: a GET, or a POST of JSON where there is a body."""

    path: str
    json: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def require_wrk() -> None:
    """Nothing, if wrk can be run.

    Raises:
        LoadError: it is not installed.
    """
    if shutil.which("wrk") is None:
        raise LoadError(
            "The benchmark needs wrk, which is not installed; "
            "run `apt-get install wrk`, `brew install wrk` or the like."
        )


def run_wrk(address: str, request: Request, connections: int, seconds: int) -> Load:
    """Send `request` for some seconds, each connection one after the other.

    Args:
        address: `http://host:port`.
        request: what to send.
        connections: kept open, each with one request under way.
        seconds: how long.
    Raises:
        LoadError: an answer was no success.
    """
    with start_wrk(address, request, connections, seconds) as process:
        text = process.communicate()[0]
    return parse_wrk(text, request.path)


def start_wrk(
    address: str, request: Request, connections: int, seconds: int
) -> subprocess.Popen[str]:
    """The same in the background; `parse_wrk` reads what it prints in the end."""
    command = ["wrk", "--latency", "-t1", f"-c{connections}", f"-d{seconds}s"]
    for name, value in request.headers.items():
        command += ["-H", f"{name}: {value}"]
    command.append(address + request.path)
    if request.json is not None:
        command += ["-s", str(POST), "--", request.json]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def parse_wrk(text: str, path: str) -> Load:
    """What wrk printed.

    Raises:
        LoadError: an answer was no success, or there was none.
    """
    if failure := FAILURE.search(text):
        raise LoadError(f"The load on {path[:60]} failed: {failure[1]}.")
    rate = RATE.search(text)
    latency = {percent: float(n) * UNITS_US[unit] for percent, n, unit in LATENCY.findall(text)}
    if rate is None or set(latency) != {"50", "99"} or not float(rate[1]):
        raise LoadError(f"The load on {path[:60]} had no answer; wrk printed {text!r}.")
    return Load(float(rate[1]), latency["50"], latency["99"])
