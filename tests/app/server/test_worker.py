"""The connection over real sockets, on the event loop that serves and on Python's own."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import product

import pytest
import uvicorn
import uvloop
from starlette.types import Message, Receive, Scope, Send
from uvicorn.server import ServerState

from app.api.errors import Problem
from app.api.fast_path import FastLane
from app.overload.gate import Gate
from app.server.connection import HEAD_LIMIT_S, MAX_HEAD_BYTES, Connection
from app.api.headers import HEADERS

PLAIN = b"GET /generate?digits=1 HTTP/1.1\r\nHost: x\r\n\r\n"
PROBE = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
LIMIT_S = 30
Scene = Callable[[], Awaitable[None]]


class Server:
    """A listening socket, with an application that answers everything with 200."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.unseen = 0
        gate.unseen = self.see
        self.state = ServerState()
        self.seen: list[Scope] = []
        self.address = ("", 0)
        self.clients: list[socket.socket] = []

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["request_id"] = "0" * 16

        async def answer(scope: Scope, _: Receive, send: Send) -> None:
            self.seen.append(scope)
            start: Message = {"type": "http.response.start", "status": 200}
            await send({**start, "headers": [(b"content-length", b"2")]})
            await send({"type": "http.response.body", "body": b"ok"})

        if "busy" in scope:
            await FastLane(answer, None)(scope, receive, send)  # type: ignore[arg-type]
        else:
            await answer(scope, receive, send)

    def see(self, route: str, requests: int) -> None:
        assert route == "/generate"
        self.unseen += requests

    def connect(self, number: int) -> list[socket.socket]:
        clients = [socket.create_connection(self.address) for _ in range(number)]
        for client in clients:
            client.setblocking(False)
        self.clients += clients
        return clients


@asynccontextmanager
async def serving(backlog: int = 128) -> AsyncIterator[Server]:
    server = Server(Gate(backlog))
    config = uvicorn.Config(
        server.app, http=Connection, ws="none", interface="asgi3", log_config=None
    )
    config.load()
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(
        lambda: Connection(config, server.state, {"gate": server.gate}), "127.0.0.1", 0
    )
    server.address = listening.sockets[0].getsockname()
    try:
        yield server
    finally:
        for client in server.clients:
            client.close()
        for connection in list(server.state.connections):
            connection.transport.close()
        listening.close()
        await listening.wait_closed()


async def ask(client: socket.socket, request: bytes) -> bytes:
    """Send and read one answer."""
    client.sendall(request)
    return await read(client)


async def read(client: socket.socket) -> bytes:
    """One answer, or what came until the connection was closed."""
    loop, answer = asyncio.get_running_loop(), b""
    async with asyncio.timeout(LIMIT_S):
        while piece := await loop.sock_recv(client, 65536):
            answer += piece
            head, _, body = answer.partition(b"\r\n\r\n")
            lengths = [line for line in head.split(b"\r\n") if line.startswith(b"content-length")]
            if lengths and len(body) >= int(lengths[0].split(b": ")[1]):
                return answer
    return answer


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Scene], None]:
    return lambda scene: request.param(scene())


Run = Callable[[Scene], None]


def test_no_http_is_400_in_the_one_error_body(run: Run) -> None:
    async def scene() -> None:
        async with serving() as server:
            (client,) = server.connect(1)
            head, body = (await ask(client, b"secret nonsense\r\n\r\n")).split(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
            assert b"secret" not in head + body
            Problem.model_validate_json(body)
            for name, value in HEADERS:
                assert name + b": " + value in head
            assert await read(client) == b""  # closed

    run(scene)


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"GET /livez HTTP/1.1\r\n", b"X-A: 1\r\n" * 500),
        (b"GET /livez HTTP/1.1\r\nX-A: ", b"a" * 5000),
        (b"GET /livez?", b"a" * 5000),
    ],
    ids=["headers", "header", "address"],
)
def test_endless_head_is_431(run: Run, start: bytes, piece: bytes) -> None:
    async def scene() -> None:
        async with serving() as server:
            (client,) = server.connect(1)
            client.sendall(start)
            for _ in range(2 * MAX_HEAD_BYTES // len(piece) + 1):
                await asyncio.sleep(0.001)
                if server.state.connections == set():
                    break  # refused
                client.sendall(piece)
            answer = await read(client)
            assert answer.startswith(b"HTTP/1.1 431 ")
            Problem.model_validate_json(answer.split(b"\r\n\r\n")[1])
            assert server.seen == []

    run(scene)


@pytest.mark.parametrize("warm", [False, True])
def test_requests_beyond_the_backlog_are_refused_and_the_connection_lives_on(
    run: Run, warm: bool
) -> None:
    """On a fresh connection by the application; later before the request is even parsed."""

    async def scene() -> None:
        async with serving(backlog=3) as server:
            clients = server.connect(10)
            while len(server.state.connections) < 10:
                await asyncio.sleep(0.001)
            if warm:
                for client in clients:
                    await ask(client, PROBE)
            for client in clients:  # all before the event loop sees the first of them
                client.sendall(PLAIN)
            answers = [await read(client) for client in clients]
            statuses = [answer[9:12] for answer in answers]
            assert sorted(statuses) == [b"200"] * 3 + [b"503"] * 7
            assert all(b"\r\nretry-after: 1\r\n" in a for a in answers if a[9:12] == b"503")
            assert server.gate.refused == 7
            assert server.unseen == 7 * warm
            assert len(server.seen) == 3 + 10 * warm
            assert [(await ask(client, PLAIN))[9:12] for client in clients] == [b"200"] * 10

    run(scene)


def test_connection_whose_requests_are_refused_unparsed_is_not_silent(run: Run) -> None:
    async def scene() -> None:
        async with serving(backlog=0) as server:
            (client,) = server.connect(1)
            await ask(client, PROBE)
            (connection,) = server.state.connections
            assert isinstance(connection, Connection)
            assert (await ask(client, PLAIN))[9:12] == b"503"
            assert connection.refused_at
            connection.timeout_keep_alive_handler()  # it was silent, as far as uvicorn knows
            assert (await ask(client, PLAIN))[9:12] == b"503"
            connection.refused_at -= connection.timeout_keep_alive
            connection.timeout_keep_alive_handler()
            assert await read(client) == b""

    run(scene)


@pytest.mark.parametrize(
    "broken",
    [
        PLAIN.replace(b"digits=1", b"digits= 1"),
        PLAIN.replace(b" HTTP/1.1", b" HTTP/1.1\nX: y\n\nGET /generate? HTTP/1.1"),
    ],
)
def test_broken_requests_are_none_to_be_refused_unparsed(run: Run, broken: bytes) -> None:
    async def scene() -> None:
        async with serving(backlog=0) as server:
            (client,) = server.connect(1)
            await ask(client, PROBE)
            assert (await ask(client, broken))[9:12] == b"400"
            assert await read(client) == b""

    run(scene)


def test_probes_are_never_refused(run: Run) -> None:
    async def scene() -> None:
        async with serving(backlog=2) as server:
            clients = server.connect(10)
            for client in clients:
                client.sendall(PROBE)
            assert [(await read(client))[9:12] for client in clients] == [b"200"] * 10

    run(scene)


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/morph?from=1&to=2", "/morph"),
        ("/", "/"),
        ("/page/page.css", "/page"),
        ("/nonsense/1.2?a=b?c", "other"),
        ("/%67enerate?digits=1", None),
        ("http://x/generate", None),
    ],
)
def test_plain_requests_of_every_route_are_refused_unparsed(
    run: Run, path: str, route: str | None
) -> None:
    async def scene() -> None:
        async with serving(backlog=0) as server:
            told: list[tuple[str, int]] = []
            server.gate.unseen = lambda *what: told.append(what)
            (client,) = server.connect(1)
            await ask(client, PROBE)
            answer = await ask(client, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert answer[9:12] == b"503"
            await ask(client, PROBE)
            assert told == ([] if route is None else [(route, 1)])

    run(scene)


@pytest.mark.parametrize(
    "special",
    [
        PLAIN.replace(b"\r\n\r\n", b"\r\nORIGIN: https://page.example\r\n\r\n"),
        PLAIN.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
        PLAIN.replace(b"\r\n\r\n", b"\r\ncontent-length: 3\r\n\r\nabc"),
        PLAIN.replace(b"\r\n\r\n", b"\r\nContent-Length: 0\r\n\r\n"),
        PLAIN.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        PLAIN.replace(b"GET", b"POST"),
        PLAIN + PLAIN,
    ],
)
def test_special_requests_are_refused_by_the_application(run: Run, special: bytes) -> None:
    """Their answer needs more than the short refusal has, and their end must be found."""

    async def scene() -> None:
        async with serving(backlog=2) as server:
            clients = server.connect(4)
            for client in clients:
                await ask(client, PROBE)
            for client in clients[:2]:
                client.sendall(PLAIN)
            for client in clients[2:]:
                client.sendall(special)
            statuses = [(await read(client))[9:12] for client in clients]
            assert statuses.count(b"503") >= 2
            assert server.gate.refused >= 2
            assert server.unseen == 0

    run(scene)


HALVES = [b"GET", PLAIN[:-2], b"\r\n"]


@pytest.mark.parametrize(
    ("begun", "first"),  # a connection that is silent after a request is idle, not slow
    [(b"", True), *product(HALVES, (True, False))],
)
def test_head_that_does_not_end_closes_the_connection(run: Run, begun: bytes, first: bool) -> None:
    async def scene() -> None:
        async with serving() as server:
            (client,) = server.connect(1)
            if not first:
                await ask(client, PROBE)
            client.sendall(begun)
            await asyncio.sleep(0.05)
            (connection,) = server.state.connections
            assert isinstance(connection, Connection)
            now = asyncio.get_running_loop().time()
            for later in (0, 1, HEAD_LIMIT_S - 1):
                connection.close_if_slow(now + later)
                assert not connection.transport.is_closing()
            connection.close_if_slow(now + HEAD_LIMIT_S)
            assert await read(client) == b""

    run(scene)


def test_idle_and_busy_connections_are_not_slow(run: Run) -> None:
    async def scene() -> None:
        async with serving() as server:
            (client,) = server.connect(1)
            for turn in range(3):
                await ask(client, PROBE)
                (connection,) = server.state.connections
                assert isinstance(connection, Connection)
                connection.close_if_slow(turn * 1e6)
                assert not connection.transport.is_closing()

    run(scene)


def test_draining_closes_connections_after_their_answer(run: Run) -> None:
    async def scene() -> None:
        async with serving() as server:
            (client,) = server.connect(1)
            assert b"connection: close" not in await ask(client, PLAIN)
            server.gate.draining = True
            assert b"connection: close" in await ask(client, PLAIN)
            assert await read(client) == b""

    run(scene)
