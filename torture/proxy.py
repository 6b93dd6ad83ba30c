"""Hostile requests sent to the shipped nginx: which of them reach the service behind it."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import ClassVar

from harness.launcher import Service
from harness.nginx import nginx
from torture.scale import Scale
from torture.verdict import Verdict

KIB = 2**10
WAIT_S = 0.5
REST = "Host: x\r\n"
UPGRADE = "Connection: upgrade\r\nUpgrade: websocket\r\n"

REACHES, STOPPED = "reaches the service", "stopped by nginx"
CASES = {
    "an ordinary request": (f"GET /generate?digits=1 HTTP/1.1\r\n{REST}\r\n", REACHES),
    "an upload without its body": (
        f"POST /restyle HTTP/1.1\r\n{REST}Content-Length: 1000\r\n\r\n",
        STOPPED,
    ),
    "a head of 63 KB": (
        f"GET / HTTP/1.1\r\n{REST}Accept: {',' * 63 * KIB}\r\n\r\n",
        STOPPED,
    ),
    "a head without an end": (f"GET / HTTP/1.1\r\n{REST}", STOPPED),
    "3,000 unknown parameters": (f"GET /?{'a&' * 3000} HTTP/1.1\r\n{REST}\r\n", REACHES),
    "an Accept header of 1,000 commas": (
        f"GET / HTTP/1.1\r\n{REST}Accept: {',' * 1000}\r\n\r\n",
        REACHES,
    ),
    "no Host": ("GET / HTTP/1.1\r\n\r\n", STOPPED),
    "two Hosts": (f"GET / HTTP/1.1\r\nHost: y\r\n{REST}\r\n", STOPPED),
    "a body in two lengths": (
        f"POST / HTTP/1.1\r\n{REST}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
        "0\r\n\r\n",
        STOPPED,
    ),
    "an upgrade with a body": (
        f"POST /nowhere HTTP/1.1\r\n{REST}{UPGRADE}Content-Length: 1\r\n\r\na",
        REACHES,
    ),
}


def try_proxy(_: Scale) -> Iterator[Verdict]:
    """Each case is sent to a proxy whose upstream records what it gets."""
    with _recorder() as (port, received), nginx(port) as proxy:
        for name, (request, expected) in CASES.items():
            received.clear()
            _send(proxy, request.encode())
            found = REACHES if received else STOPPED
            yield Verdict(f"behind nginx: {name}", found, expected, found == expected)


class _Recorder(socketserver.BaseRequestHandler):
    """Keeps what a connection sends, and answers as soon as something has come."""

    received: ClassVar[list[bytes]] = []

    def handle(self) -> None:
        self.received.append(self.request.recv(2**16))
        self.request.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")


@contextmanager
def _recorder() -> Iterator[tuple[int, list[bytes]]]:
    """A server in the place of the service: its port, and the requests that it has received."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Recorder) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1], _Recorder.received
        finally:
            server.shutdown()
            thread.join()


def _send(proxy: Service, request: bytes) -> None:
    """Send a request and wait for the answer, or as long as one may take."""
    with socket.create_connection(("127.0.0.1", proxy.port), WAIT_S) as client, suppress(OSError):
        client.sendall(request)
        client.recv(1)
