"""Open-loop load: each request is sent when it is due, whether or not the last is answered.

A process of its own. Latencies count from the moment a request was due, so they include the time
that it waited to be sent. All times in milliseconds.
"""

import asyncio
import json
import random
import re
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

import uvloop

from harness.launcher import ROOT

CONNECTIONS = 256
LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)
PROBE_EVERY_S = 0.05
END_S = 5  # for the last answers to come
HEAD_END = b"\r\n\r\n"
Answered = Callable[[int, bool, float], None]


@dataclass(frozen=True)
class Load:
    """What to send.

    Attributes:
        port: of 127.0.0.1.
        path: of the GET request, with its query.
        rate: requests a second.
        seconds: duration.
        connections: kept open, each with at most one request in progress.
        headers: additional lines of the head of each request.
        many_clients: whether each connection has an address of its own, as a client of its own.
    """

    port: int
    path: str
    rate: float
    seconds: float
    connections: int = CONNECTIONS
    headers: Sequence[str] = ()
    many_clients: bool = False


@dataclass
class Outcome:
    """What came back.

    Attributes:
        sent: number of requests.
        seconds: how long it took to send them.
        statuses: status -> number of answers; 0 for connections that were cut.
        without_retry: number of 503 without Retry-After.
        answered_ms: latency of each 200.
        refused_ms: latency of each 503.
        probe_ms: latency of each answer of /readyz.
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
        """Requests a second that were sent."""
        return self.sent / self.seconds

    @property
    def strange(self) -> int:
        """Number of requests whose answer was neither 200 nor 503, or that had none."""
        proper = self.statuses.get("200", 0) + self.statuses.get("503", 0)
        return self.sent - proper


def percentile(values: list[float], percent: float) -> float:
    """The value that `percent` of them do not exceed; NaN if there are none."""
    if not values:
        return float("nan")
    return sorted(values)[min(len(values) - 1, int(len(values) * percent / 100))]


def run_load(load: Load) -> Outcome:
    """Send a load from another process and wait until it has ended."""
    with start_load(load) as process:
        return read_outcome(process)


def start_load(load: Load) -> "subprocess.Popen[str]":
    """Start a load in another process; `read_outcome` waits for it."""
    command = [sys.executable, "-m", "torture.load", json.dumps(asdict(load))]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def read_outcome(process: "subprocess.Popen[str]") -> Outcome:
    """The outcome of a load in another process; waits until it has ended."""
    text, _ = process.communicate()
    return Outcome(**json.loads(text))


class Client(asyncio.Protocol):
    """One connection with at most one request in progress; opened again when it was closed."""

    def __init__(
        self, load: Load, path: str, answered: Answered, idle: "deque[Client]", number: int = 0
    ) -> None:
        """No connection yet.

        Args:
            load: what to send.
            path: of the request, with its query.
            answered: called with status, whether there is a Retry-After, and milliseconds.
            idle: contains this client while it is connected and no request is in progress.
            number: of this client; decides its address where each has its own.
        """
        host = f"Host: 127.0.0.1:{load.port}"
        lines = f"GET {path} HTTP/1.1", host, "User-Agent: torture", *load.headers
        self._request = ("\r\n".join(lines) + "\r\n\r\n").encode()
        self._server = "127.0.0.1", load.port
        own = f"127.1.{number // 250}.{1 + number % 250}"
        self._own = (own, 0) if load.many_clients else None
        self._answered = answered
        self._buffer = b""
        self._due = 0.0
        self._reopening: asyncio.Task[None] | None = None
        self._closed = False
        self._idle = idle

    async def open(self) -> None:
        """Connect."""
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self, *self._server, local_addr=self._own)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Called when the connection is open."""
        self._transport = transport
        self._buffer = b""
        self._idle.append(self)

    def ask(self, due: float) -> None:
        """Send the request.

        Args:
            due: when it should have been sent, in seconds of the monotonic clock.
        """
        self._due = due
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Called with a part of an answer."""
        self._buffer += data
        end = self._buffer.find(HEAD_END)
        if end < 0:
            return
        length = LENGTH.search(self._buffer, 0, end + 2)
        assert length, "the answers to these requests have a length"
        if len(self._buffer) < end + len(HEAD_END) + int(length[1]):
            return
        status = int(self._buffer[9:12])
        retry = status == 503 and b"\r\nretry-after: " in self._buffer[:end].lower()
        self._buffer = b""
        self._end(status, retry)
        self._idle.append(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Called when the server has closed the connection."""
        if self in self._idle:
            self._idle.remove(self)
        if self._due:
            self._end(0, False)
        if not self._closed:
            self._reopening = asyncio.create_task(self.open())

    def close(self) -> None:
        """Close the connection."""
        self._closed = True
        self._transport.close()

    def _end(self, status: int, retry: bool) -> None:
        due, self._due = self._due, 0.0
        self._answered(status, retry, (time.monotonic() - due) * 1e3)


class _Sender:
    """Sends one load and records what comes back."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.outcome = Outcome()
        self._statuses: Counter[str] = Counter()

    async def send(self) -> Outcome:
        load, idle, idle_probe = self.load, deque[Client](), deque[Client]()
        numbers = range(load.connections)
        clients = [Client(load, load.path, self._note, idle, number) for number in numbers]
        clients.append(Client(load, "/readyz", self._note_probe, idle_probe))
        for client in clients:
            await client.open()
        while idle:  # the first request of a connection is not part of the load
            idle.popleft().ask(time.monotonic())
        await self._wait(lambda: len(idle) < load.connections)
        self._statuses.clear()
        self.outcome = Outcome()
        await self._pace(idle, idle_probe)
        await self._wait(lambda: self.outcome.sent > self._statuses.total())
        self.outcome.statuses = dict(self._statuses)
        for client in clients:
            client.close()
        return self.outcome

    async def _pace(self, idle: deque[Client], idle_probe: deque[Client]) -> None:
        chance = random.Random(0)
        start = due = next_probe = time.monotonic()
        while due < start + self.load.seconds:
            now = time.monotonic()
            while due <= now and idle:
                idle.popleft().ask(due)
                self.outcome.sent += 1
                due += chance.expovariate(self.load.rate)
            if now >= next_probe and idle_probe:
                idle_probe.popleft().ask(now)
                next_probe += PROBE_EVERY_S
            if now > start + self.load.seconds + END_S:
                break  # the service answers so few that every connection is busy
            await asyncio.sleep(0)  # timers are too coarse
        self.outcome.seconds = time.monotonic() - start

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
