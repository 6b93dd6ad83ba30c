"""A client that pipelines many requests: those of others are neither refused nor slow."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from harness.core import LOAD_CORE, SERVICE_CORE, on_core
from harness.launcher import Service, running
from torture.load import Load, percentile, run_load
from torture.overload import USUAL, saturation
from torture.scale import Scale
from torture.verdict import Verdict

REQUESTS = {"unknown paths": "/nowhere", "light drawings": USUAL}
BATCH = 100
EVERY_S = 0.02
LOAD = 0.1  # of saturation, by the others
CONNECTIONS = 16  # of the others, fewer than may wait
P99_TIMES = 2
STATUS_LINE = b"HTTP/1.1 "


def try_pipelining(scale: Scale) -> Iterator[Verdict]:
    """`BATCH` requests every `EVERY_S` on one connection, beside an ordinary light load."""
    with on_core(SERVICE_CORE), running() as service:
        rate = LOAD * saturation(service, scale.load_s)
        load = Load(service.port, USUAL, rate, scale.load_s, CONNECTIONS)
        with on_core(LOAD_CORE):
            alone = percentile(run_load(load).answered_ms, 99)
        for kind, path in REQUESTS.items():
            with on_core(LOAD_CORE), _pipeline(service, path) as client:
                others = run_load(load)
            refused = others.statuses.get("503", 0)
            yield Verdict(
                f"a client pipelines {kind}: the others are not refused",
                f"{refused} x 503 and {others.strange} else of {others.sent}; "
                f"{client.answers} answers to the client",
                "0 and 0",
                not refused and not others.strange and client.answers > 0,
            )
            beside = percentile(others.answered_ms, 99)
            yield Verdict(
                f"a client pipelines {kind}: p99 of the others",
                f"{beside:.1f} ms, {beside / alone:.1f} x alone",
                f"<= {P99_TIMES} x {alone:.1f} ms",
                beside <= P99_TIMES * alone,
                timed=True,
            )


class _Client:
    """Sends batches of requests on one connection and counts the answers."""

    def __init__(self, service: Service, path: str) -> None:
        self.answers = 0
        self._batch = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * BATCH
        self._socket = socket.create_connection(("127.0.0.1", service.port))
        self._ended = threading.Event()

    def send(self) -> None:
        """Send batches until the end; waits where the service does not read on."""
        with suppress(OSError):
            while not self._ended.wait(EVERY_S):
                self._socket.sendall(self._batch)

    def receive(self) -> None:
        """Receive until the connection is closed."""
        rest = b""
        with suppress(OSError):
            while data := self._socket.recv(2**16):
                self.answers += (rest + data).count(STATUS_LINE)
                rest = data[1 - len(STATUS_LINE) :]

    def end(self) -> None:
        """Close the connection."""
        self._ended.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@contextmanager
def _pipeline(service: Service, path: str) -> Iterator[_Client]:
    client = _Client(service, path)
    threads = [threading.Thread(target=work) for work in (client.send, client.receive)]
    for thread in threads:
        thread.start()
    try:
        yield client
    finally:
        client.end()
        for thread in threads:
            thread.join()
