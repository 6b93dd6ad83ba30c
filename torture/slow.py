"""Misbehaving clients: slow heads, half-open connections, clients that leave."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from app.server.connection import HEAD_LIMIT_S
from harness.core import SERVICE_CORE, on_core
from harness.launcher import Service, running
from torture.load import percentile
from torture.overload import send
from torture.scale import Scale
from torture.verdict import Verdict

RATE = 200  # requests a second of the others
P99_TIMES = 2
LARGEST = "/generate?digits=" + "8" * 64 + "&rows=16&format=svg"
LEAVERS = 18  # as many as may run or wait in the pool
SOON_S = 5
LIMIT_S = 60
POLL_S = 0.05
CLOSE_MARGIN_S = 5
BEGUN = b"GET /generate?digits=1 HTTP/1.1\r\nHost: x\r\nX-Slow: "


def try_slow(scale: Scale) -> Iterator[Verdict]:
    """`scale.slow` connections that never finish their head, beside ordinary clients."""
    with on_core(SERVICE_CORE), running() as service:
        alone = percentile(send(service, RATE, scale.load_s).answered_ms, 99)
        with _hanging(service, scale.slow) as sockets:
            begun = time.monotonic()
            outcome = send(service, RATE, scale.load_s)
            closed_s = _seconds_until_closed(sockets, begun) if scale.patient else 0
    beside = percentile(outcome.answered_ms, 99)
    yield Verdict(
        f"{scale.slow} slow and half-open connections: p99 of the others",
        f"{beside:.1f} ms, {beside / alone:.1f} x alone",
        f"<= {P99_TIMES} x {alone:.1f} ms",
        beside <= P99_TIMES * alone,
        timed=True,
    )
    yield Verdict(
        "slow connections: the others are answered",
        f"{outcome.strange} of {outcome.sent} lost",
        "0 lost",
        not outcome.strange,
    )
    if scale.patient:
        yield _closed(closed_s)


def _closed(closed_s: float) -> Verdict:
    limit_s = HEAD_LIMIT_S + CLOSE_MARGIN_S
    return Verdict(
        "slow connections are closed",
        f"all after {closed_s:.0f} s",
        f"<= {limit_s} s",
        closed_s <= limit_s,
        timed=True,
    )


def try_leaving(_: Scale) -> Iterator[Verdict]:
    """Clients that ask for much and leave: it must not block others, and is no error."""
    with running() as service:
        for path in (
            LARGEST,
            "/morph?from=1&to=2&frames=110&scale=3",
            "/dataset?count=60000&seed=1",
        ):
            descriptors = service.holding().descriptors
            _leave(service, path)
            begun = time.monotonic()
            while (status := service.status("/dataset?count=1")) == 503 and _since(begun) < LIMIT_S:
                time.sleep(POLL_S)
            waited = _since(begun)
            while service.holding().descriptors > descriptors and _since(begun) < LIMIT_S:
                time.sleep(POLL_S)
            left = service.holding().descriptors - descriptors
            yield Verdict(
                f"{LEAVERS} clients leave {path.split('?')[0]}: no work remains",
                f"next request {status}, {left} connections left",
                "200, 0 left",
                status == 200 and left <= 0,
            )
            yield Verdict(
                f"{LEAVERS} clients leave {path.split('?')[0]}: the next request is answered",
                f"after {waited:.1f} s",
                f"<= {SOON_S} s",
                waited <= SOON_S,
                timed=True,
            )
    errors, gone = service.log.count(" failed\n"), service.log.count(" 499 ")
    yield Verdict(
        "clients that leave are no errors of the service",
        f"{errors} failed, {gone} with status 499",
        "0 failed, some with 499",
        not errors and gone > 0,
    )


def _since(begun: float) -> float:
    return time.monotonic() - begun


def _leave(service: Service, path: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    with ExitStack() as stack:
        for _ in range(LEAVERS):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", service.port)))
            client.sendall(request)
        time.sleep(4 * POLL_S)  # until the work has begun


@contextmanager
def _hanging(service: Service, number: int) -> Iterator[list[socket.socket]]:
    """Connections that begin a head, and as many that send nothing."""
    with ExitStack() as stack:
        sockets = []
        for index in range(number):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", service.port)))
            if index % 2:
                client.sendall(BEGUN)
            sockets.append(client)
        yield sockets


def _seconds_until_closed(sockets: list[socket.socket], begun: float) -> float:
    """Seconds until the service has closed all of them; half of them keep sending single bytes."""
    limit_s = HEAD_LIMIT_S + CLOSE_MARGIN_S
    open_still, dripping = sockets, set(sockets[1::2])
    while open_still and _since(begun) <= limit_s:
        time.sleep(4 * POLL_S)
        for client in dripping.intersection(open_still):
            with suppress(OSError):
                client.send(b"x")
        open_still = [client for client in open_still if _is_open(client)]
    return _since(begun)


def _is_open(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        return client.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
