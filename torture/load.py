"""Open-loop load: requests leave when their time has come, whether or not the last is answered.

A process of its own. Latencies count from the moment a request was due, so that a service which
keeps its clients waiting cannot hide it. All times in milliseconds.
"""

import asyncio
import json
import random
import re
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import uvloop

ROOT = Path(__file__).parent.parent
CONNECTIONS = 256
LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)
PROBE_EVERY_S = 0.05
END_S = 5  # for the last answers to come
HEAD_END = b"\r\n\r\n"
Answered = Callable[[int, bool, float], None]


@dataclass(frozen=True)
class Load:
    """What to send: `GET path` to a port of the loopback, so many a second."""

    port: int
    path: str
    rate: float
    seconds: float
    connections: int = CONNECTIONS


@dataclass
class Outcome:
    """What came back.

    Attributes:
        sent: requests.
        statuses: status -> answers; 0 for connections that were cut.
        without_retry: 503 without Retry-After.
        answered_ms: of each 200.
        refused_ms: of each 503.
        probe_ms: of each answer of /readyz.
    """

    sent: int = 0
    seconds: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)
    without_retry: int = 0
    answered_ms: list[float] = field(default_factory=list)
    refused_ms: list[float] = field(default_factory=list)
    probe_ms: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Requests a second that were really sent."""
        return self.sent / self.seconds

    @property
    def strange(self) -> int:
        """Answers that are neither 200 nor 503, and requests without one."""
        proper = self.statuses.get("200", 0) + self.statuses.get("503", 0)
        return self.sent - proper


def percentile(values: list[float], percent: float) -> float:
    """The value that `percent` of them do not exceed; NaN of none."""
    if not values:
        return float("nan")
    return sorted(values)[min(len(values) - 1, int(len(values) * percent / 100))]


def run_load(load: Load) -> Outcome:
    """Send a load from another process and wait for its end."""
    with start_load(load) as process:
        return read_outcome(process)


def start_load(load: Load) -> "subprocess.Popen[str]":
    """The same in the background; `read_outcome` waits for it."""
    command = [sys.executable, "-m", "torture.load", json.dumps(asdict(load))]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def read_outcome(process: "subprocess.Popen[str]") -> Outcome:
    """What a load in the background saw, once it has ended."""
    text, _ = process.communicate()
    return Outcome(**json.loads(text))


class Client(asyncio.Protocol):
    """One connection with at most one request under way."""

    def __init__(self, request: bytes, answered: Answered) -> None:
        self._request = request
        self._answered = answered
        self._buffer = b""
        self._due = 0.0
        self._loop = asyncio.get_running_loop()
        self.idle: deque[Client] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """There is a connection."""
        self._transport = transport

    @property
    def busy(self) -> bool:
        """Whether a request is under way."""
        return self._due != 0

    def ask(self, due: float) -> None:
        """Send the request that was due then."""
        self._due = due
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """A piece of an answer."""
        self._buffer += data
        end = self._buffer.find(HEAD_END)
        if end < 0:
            return
        length = LENGTH.search(self._buffer, 0, end + 2)
        assert length, "the answers to these requests have a length"
        if len(self._buffer) < end + len(HEAD_END) + int(length[1]):
            return
        status, retry = int(self._buffer[9:12]), b"\r\nretry-after: " in self._buffer
        self._buffer = b""
        self._end(status, retry)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The service has closed the connection."""
        if self._due:
            self.idle = None
            self._end(0, False)

    def close(self) -> None:
        """No more requests."""
        self._transport.close()

    def _end(self, status: int, retry: bool) -> None:
        due, self._due = self._due, 0.0
        self._answered(status, retry, (time.monotonic() - due) * 1e3)
        if self.idle is not None:
            self.idle.append(self)


class _Sender:
    """Sends one load and keeps what comes back."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.outcome = Outcome()
        self._statuses: Counter[str] = Counter()
        self._loop = asyncio.get_running_loop()

    async def send(self) -> Outcome:
        idle: deque[Client] = deque()
        clients = [
            await self._open(self.load.path, self._note) for _ in range(self.load.connections)
        ]
        probe = await self._open("/readyz", self._note_probe)
        for client in clients:  # a connection's first request is none of the load
            client.idle = idle
            client.ask(time.monotonic())
        await self._wait(lambda: len(idle) < len(clients))
        self._statuses.clear()
        self.outcome = Outcome()
        await self._pace(idle, probe)
        await self._wait(lambda: self.outcome.sent > self._statuses.total())
        self.outcome.statuses = dict(self._statuses)
        for client in (*clients, probe):
            client.close()
        return self.outcome

    async def _pace(self, idle: deque[Client], probe: Client) -> None:
        chance = random.Random(0)
        start = due = next_probe = time.monotonic()
        while due < start + self.load.seconds:
            now = time.monotonic()
            while due <= now and idle:
                idle.popleft().ask(due)
                self.outcome.sent += 1
                due += chance.expovariate(self.load.rate)
            if now >= next_probe and not probe.busy:
                probe.ask(now)
                next_probe += PROBE_EVERY_S
            if now > start + self.load.seconds + END_S:
                break  # the service answers so little that there is no connection left
            await asyncio.sleep(0)  # timers are too coarse for this
        self.outcome.seconds = time.monotonic() - start

    async def _open(self, path: str, answered: Answered) -> Client:
        host = f"127.0.0.1:{self.load.port}"
        request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: torture\r\n\r\n".encode()
        _, client = await self._loop.create_connection(
            lambda: Client(request, answered), "127.0.0.1", self.load.port
        )
        return client

    async def _wait(self, unfinished: Callable[[], bool]) -> None:
        limit = time.monotonic() + END_S
        while unfinished() and time.monotonic() < limit:
            await asyncio.sleep(0.001)

    def _note(self, status: int, retry: bool, milliseconds: float) -> None:
        self._statuses[str(status)] += 1
        if status == 200:
            self.outcome.answered_ms.append(milliseconds)
        elif status == 503:
            self.outcome.refused_ms.append(milliseconds)
            self.outcome.without_retry += not retry

    def _note_probe(self, status: int, _: bool, milliseconds: float) -> None:
        if status == 200:
            self.outcome.probe_ms.append(milliseconds)


async def _main(load: Load) -> None:
    outcome = await _Sender(load).send()
    json.dump(asdict(outcome), sys.stdout)


if __name__ == "__main__":
    uvloop.run(_main(Load(**json.loads(sys.argv[1]))))
