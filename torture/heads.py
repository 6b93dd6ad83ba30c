"""Heads that are large, or slow to read: they cost little, and disturb nobody."""

import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress

from harness.core import SERVICE_CORE, on_core
from harness.launcher import Service, running
from torture.crowd import crowd
from torture.overload import probes, send
from torture.scale import Scale
from torture.verdict import Verdict

KIB = 2**10
FILLERS = {
    "an Accept header of commas": b"Accept: " + b"," * 63 * KIB,
    "short headers": b"a:\r\n" * (16 * KIB - 1),
    "unknown parameters": b"",
    "a long multipart type": b"Content-Type: multipart/form-data; " + b"a=b;" * 15 * KIB,
}
CLIENTS = 100
BYTES_PER_S = 2**20  # of all clients together
RATE = 50  # small drawings of others a second


def try_heads(scale: Scale) -> Iterator[Verdict]:
    """`CLIENTS` clients that send heads of 63 KB, each opened again when it is refused."""
    for name, filler in FILLERS.items():
        query = b"?" + b"&a" * 31 * KIB if not filler else b""
        head = b"POST /restyle%b HTTP/1.1\r\nHost: x\r\n%b\r\n\r\n" % (query, filler)
        with on_core(SERVICE_CORE), running() as service, _flood(service, head):
            outcome = send(service, RATE, scale.load_s)
        yield probes(f"{CLIENTS} clients send {name}", outcome)


def _flood(service: Service, head: bytes) -> AbstractContextManager[None]:
    """Clients that send a head again and again."""
    address = "127.0.0.1", service.port

    def send_head() -> None:
        with suppress(OSError), socket.create_connection(address) as client:
            client.sendall(head)
            client.recv(2**16)

    return crowd(CLIENTS, send_head, pause_s=CLIENTS * len(head) / BYTES_PER_S)
