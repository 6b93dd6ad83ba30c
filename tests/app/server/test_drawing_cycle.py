"""The fast path in this process: a real service behind a connection, without a server."""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Sequence

import pytest
import uvicorn
from uvicorn.server import ServerState

from app.api.problem import Problem
from app.api.service import Service
from app.drawing.renderer import Order
from app.main import create_app
from app.overload.batcher import MicroBatcher
from app.server.connection import Connection
from app.settings import Settings
from app.telemetry.counters import FIRST_STATUS
from app.telemetry.middleware import CLIENT_GONE

LIMIT_S = 30
PLAIN = b"GET /generate?digits=2018&seed=7 HTTP/1.1\r\nHost: x\r\n\r\n"
Scene = Callable[[socket.socket, Connection, Service], Awaitable[None]]


def play(scene: Scene) -> None:
    """A scene with the socket of a client, the connection at its other end, and the service."""

    async def run() -> None:
        app = create_app(Settings(access_log=False))
        async with app.router.lifespan_context(app):
            service: Service = app.state.service
            config = uvicorn.Config(app, ws="none", interface="asgi3", log_config=None)
            config.load()
            client, server = socket.socketpair()
            client.setblocking(False)
            _, connection = await asyncio.get_running_loop().connect_accepted_socket(
                lambda: Connection(config, ServerState(), {"service": service}), server
            )
            with client:
                await scene(client, connection, service)
            connection.transport.close()

    asyncio.run(run())


async def ask(client: socket.socket, request: bytes) -> tuple[bytes, bytes]:
    """Head and body of the answer to one request."""
    loop, answer = asyncio.get_running_loop(), b""
    await loop.sock_sendall(client, request)
    async with asyncio.timeout(LIMIT_S):
        while True:
            answer += await loop.sock_recv(client, 65536)
            head, end, body = answer.partition(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head)
            if end and len(body) >= (int(length[1]) if length else 0):
                return head, body


def count(service: Service, status: int) -> float:
    (reading,) = service.counters.readings()
    return float(reading.rows["/generate"][status - FIRST_STATUS])


def break_drawing(service: Service) -> None:
    def fail(_: Sequence[Order]) -> list[bytes]:
        raise RuntimeError("of the drawing")

    service.batcher = MicroBatcher(fail, lambda _: 1)


def test_drawing_is_sent_counted_and_keeps_the_connection() -> None:
    async def scene(client: socket.socket, connection: Connection, service: Service) -> None:
        for number in (1, 2):
            head, body = await ask(client, PLAIN)
            assert head.startswith(b"HTTP/1.1 200 OK\r\n")
            assert body.startswith(b"\x89PNG")
            assert count(service, 200) == number
        assert not connection.transport.is_closing()

    play(scene)


def test_held_drawing_is_304_without_a_body() -> None:
    async def scene(client: socket.socket, _: Connection, service: Service) -> None:
        head, _body = await ask(client, PLAIN)
        etag = re.search(rb'etag: ("\w+")', head)
        assert etag
        held = PLAIN[:-2] + b"If-None-Match: " + etag[1] + b"\r\n\r\n"
        head, body = await ask(client, held)
        assert head.startswith(b"HTTP/1.1 304 Not Modified\r\n")
        assert body == b""
        assert count(service, 304) == 1

    play(scene)


def test_drawing_that_fails_is_500_in_the_one_error_body(caplog: pytest.LogCaptureFixture) -> None:
    async def scene(client: socket.socket, connection: Connection, service: Service) -> None:
        break_drawing(service)
        head, body = await ask(client, PLAIN)
        assert head.startswith(b"HTTP/1.1 500 ")
        problem = Problem.model_validate_json(body)
        assert f"request {problem.request_id} failed" in caplog.text
        assert "of the drawing" in caplog.text
        assert count(service, 500) == 1
        assert not connection.transport.is_closing()

    play(scene)


def test_client_that_leaves_before_its_turn_is_counted_and_not_drawn_for() -> None:
    async def scene(_: socket.socket, connection: Connection, service: Service) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        service.limit.enter = lambda: turn  # type: ignore[method-assign]
        connection.data_received(PLAIN)
        connection.transport.close()
        turn.set_result(None)
        await asyncio.sleep(0.01)
        assert count(service, CLIENT_GONE) == 1
        assert service.counters.readings()[0].cells[0] == 0  # none is in flight

    play(scene)


def test_request_of_another_model_takes_the_ordinary_route() -> None:
    async def scene(client: socket.socket, _: Connection, service: Service) -> None:
        named = PLAIN.replace(b"seed=7", b"seed=7&model=" + b"0" * 16)
        head, _body = await ask(client, named)
        assert head.startswith(b"HTTP/1.1 422 ")
        assert count(service, 422) == 1

    play(scene)
