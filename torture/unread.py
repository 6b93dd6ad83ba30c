"""Clients that ask for much and read nothing: memory stays bounded, others are answered."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from harness.core import LOAD_CORE, SERVICE_CORE, on_core
from harness.launcher import Service, running
from torture.load import Load, Outcome, read_outcome, start_load
from torture.overload import USUAL, probes, send
from torture.scale import Scale
from torture.verdict import Verdict

LARGEST = f"/generate?digits={'8' * 64}&rows=16&scale=4&format=npy"  # 12.8 MB
STREAM = "/dataset?count=60000&seed=1"
HEAVY = f"/generate?digits={'8' * 64}&rows=2"  # not drawn on the event loop
MINIMAL = b"GET /livez HTTP/1.1\r\nHost:\r\n\r\n"
PIPELINED = 13_000
GROWTH_MB = 150
STALL_S = 5
RATE = 50  # small drawings of others a second
POLL_S = 0.05
LIMIT_S = 60
SOON_S = 5
READERS = 40  # more than there are slots in the pool


def try_unread(scale: Scale) -> Iterator[Verdict]:
    """`scale.unread` clients that never read a large answer, and some with a stream."""
    with on_core(SERVICE_CORE), running("--stall-seconds", str(STALL_S)) as service:
        service.get(HEAVY)
        before = service.holding().memory_mb
        with _silent(service, LARGEST, scale.unread):
            outcome, most = _watched(service, scale.load_s + STALL_S)
        yield Verdict(
            f"{scale.unread} clients read nothing of 12.8 MB each: memory",
            f"{most - before:+.0f} MB",
            f"<= {GROWTH_MB} MB",
            most - before <= GROWTH_MB,
        )
        name = f"{scale.unread} clients read nothing"
        yield probes(name, outcome)
        yield Verdict(
            f"{name}: small drawings of others",
            f"{outcome.statuses}",
            "answered or refused",
            not outcome.strange and outcome.statuses.get("200", 0) > 0,
        )
        yield from _streams(service)


def try_unread_pipelines(scale: Scale) -> Iterator[Verdict]:
    """Clients that pipeline thousands of minimal requests and read no answer."""
    clients = min(scale.unread, READERS)
    with on_core(SERVICE_CORE), running() as service, ExitStack() as stack:
        for _ in range(clients):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", service.port)))
            client.setblocking(False)
            with suppress(BlockingIOError):
                client.send(MINIMAL * PIPELINED)
        outcome = send(service, RATE, scale.load_s)
    yield probes(f"{clients} clients pipeline {PIPELINED:,} requests and read nothing", outcome)


def _streams(service: Service) -> Iterator[Verdict]:
    name = f"{READERS} readers of a data set read nothing: the next"
    with _silent(service, STREAM, READERS):
        time.sleep(SOON_S / 10)
        for path in (HEAVY, "/dataset?count=1"):
            begun = time.monotonic()
            while (status := service.status(path)) == 503 and time.monotonic() < begun + LIMIT_S:
                time.sleep(SOON_S / 100)
            waited_s = time.monotonic() - begun
            name_of_path = f"{name} {path.split('?')[0]}"
            yield Verdict(name_of_path, str(status), "200", status == 200)
            yield Verdict(
                f"{name_of_path} is answered soon",
                f"after {waited_s:.1f} s",
                f"<= {SOON_S} s",
                waited_s <= SOON_S,
                timed=True,
            )


def _watched(service: Service, seconds: float) -> tuple[Outcome, float]:
    """What others get meanwhile, and the most memory in MB."""
    load = Load(service.port, USUAL, RATE, seconds)
    most = 0.0
    with on_core(LOAD_CORE), start_load(load) as process:
        while process.poll() is None:
            most = max(most, service.holding().memory_mb)
            time.sleep(POLL_S)
        return read_outcome(process), most


@contextmanager
def _silent(service: Service, path: str, number: int) -> Iterator[None]:
    """Clients with one request each, of whose answer they read nothing."""
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    with ExitStack() as stack:
        for _ in range(number):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", service.port)))
            client.sendall(request)
        yield
