"""Requests in pieces under load: no part of one is ever answered as another request.

Every request has an id, and every answer repeats the id of its request. A POST that is answered
before its body has arrived is sent with another request as its body, which must have no answer.
The head of another request is sent in two parts, the first while an answer is on its way.
"""

import http.client
import itertools
import socket
import time
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple

from harness.core import LOAD_CORE, SERVICE_CORE, on_core
from harness.launcher import Service, running
from torture.load import Load, read_outcome, start_load
from torture.overload import USUAL, saturation
from torture.scale import Scale
from torture.verdict import Verdict

KEY = "the-key-of-the-torture"
MAX_UPLOAD_BYTES = 1024
OVERLOAD = 2  # times saturation
LOADS = 3  # times the duration of a usual load
LIMIT_S = 5
PAUSES_S = (0.0, 0.001, 0.02)  # between two parts
BODY = b"GET /generate?digits=1 HTTP/1.1\r\nHost: x\r\nX-Request-ID: smuggled\r\n\r\n"
EARLY = {  # status -> what is posted without an overload
    401: ("/restyle?digits=1", BODY, False),
    404: ("/nowhere", BODY, True),
    405: ("/generate?digits=1", BODY, True),
    413: ("/restyle?digits=1", BODY * (1 + MAX_UPLOAD_BYTES // len(BODY)), True),
    415: ("/restyle?digits=1", BODY, True),
    422: ("/restyle?digits=x", BODY, True),
}


class Exchange(NamedTuple):
    """What is sent on one connection in parts, and the ids of its requests."""

    parts: Sequence[bytes]
    ids: tuple[str, ...]


class Found(NamedTuple):
    """One answer."""

    request_id: str
    status: int
    closes: bool


def try_smuggling(scale: Scale) -> Iterator[Verdict]:
    """All exchanges with each pause, without a load and then at twice saturation."""
    header, limit = f"X-API-Key: {KEY}", str(MAX_UPLOAD_BYTES)
    with (
        on_core(SERVICE_CORE),
        running(CVAE_API_KEYS=KEY, CVAE_MAX_UPLOAD_BYTES=limit) as service,
    ):
        quiet = _play_all(service)
        rate = OVERLOAD * saturation(service, scale.load_s, USUAL, (header,))
        load = Load(service.port, USUAL, rate, LOADS * scale.load_s, headers=(header,))
        loaded = []
        with on_core(LOAD_CORE), start_load(load) as process:
            end = time.monotonic() + load.seconds
            while time.monotonic() < end:
                loaded += _play_all(service)
            refused = read_outcome(process).statuses.get("503", 0)
    yield _verdict("requests in parts", quiet)
    found = {answer.status for _, answers in quiet for answer in answers}
    yield Verdict(
        "requests in parts: every early answer was tried",
        f"statuses {sorted(found)}",
        f"{[200, *EARLY]}",
        found >= {200, *EARLY},
    )
    yield _verdict("requests in parts, under load", loaded)
    yield Verdict(
        "requests in parts, under load: the service was overloaded",
        f"{refused} requests of the load refused",
        "some",
        refused > 0,
        timed=True,
    )


def _verdict(name: str, played: list[tuple[Exchange, list[Found]]]) -> Verdict:
    faults = [fault for exchange, found in played if (fault := _fault(exchange, found))]
    return Verdict(
        f"{name}: each has its answer, and nothing else has one",
        f"{len(faults)} of {len(played)} connections wrong {'; '.join(faults[:3])}".strip(),
        "0 wrong",
        not faults and bool(played),
    )


def exchanges() -> Iterator[Exchange]:
    """Posts that are answered early, and heads that arrive during an answer, split in parts."""
    last = _head("GET", "/model", "last", True, "Connection: close")
    for path, body, with_key in EARLY.values():
        head = _head("POST", path, "posted", with_key, f"Content-Length: {len(body)}")
        for at in {0, 1, len(BODY) // 2, len(body) - 1}:
            yield Exchange((head + body[:at], body[at:], last), ("posted", "last"))
    first = _head("GET", USUAL, "first", True)
    # From X-Rest on, the head looks like a request, which HTTP/1.0 allows to name no host.
    hidden = "GET /generate?digits=1 HTTP/1.0"
    second = _head("GET", USUAL, "second", True, f"X-Rest: {hidden}\r\nX-A: smuggled")
    for at in {*range(1, len(second), 10), second.index(hidden.encode())}:
        yield Exchange((first + second[:at], second[at:], last), ("first", "second", "last"))


def _head(method: str, path: str, request_id: str, with_key: bool, *lines: str) -> bytes:
    own = (f"X-API-Key: {KEY}",) if with_key else ()
    head = f"{method} {path} HTTP/1.1", "Host: x", f"X-Request-ID: {request_id}", *own, *lines
    return ("\r\n".join(head) + "\r\n\r\n").encode()


def _play_all(service: Service) -> list[tuple[Exchange, list[Found]]]:
    """Every exchange with its answers, with each pause."""
    tried = itertools.product(exchanges(), PAUSES_S)
    return [(exchange, _play(service, exchange, pause_s)) for exchange, pause_s in tried]


def _play(service: Service, exchange: Exchange, pause_s: float) -> list[Found]:
    """The answers to an exchange, until the service closes the connection."""
    with (
        socket.create_connection(("127.0.0.1", service.port), LIMIT_S) as client,
        client.makefile("rb") as stream,
    ):
        try:
            for part in exchange.parts:
                client.sendall(part)
                time.sleep(pause_s)
            return list(_answers(stream))
        except (ConnectionError, TimeoutError):
            return []


def _answers(stream: BinaryIO) -> Iterator[Found]:
    while line := stream.readline():
        headers = http.client.parse_headers(stream)
        stream.read(int(headers["Content-Length"]))
        closes = headers.get("Connection", "").lower() == "close"
        yield Found(headers["X-Request-ID"], int(line.split()[1]), closes)


def _fault(exchange: Exchange, found: Sequence[Found]) -> str | None:
    """What is wrong with the answers to an exchange, or None.

    Fewer answers than requests are right only if the last one announces that the service closes.
    """
    ids = tuple(answer.request_id for answer in found)
    complete = ids == exchange.ids
    closed = bool(found) and found[-1].closes and ids == exchange.ids[: len(ids)]
    if complete or closed:
        return None
    return f"{exchange.parts!r} had the answers {[(a.request_id, a.status) for a in found]}"
