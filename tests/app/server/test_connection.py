"""The connection over sockets, on the event loop that serves and on Python's own."""

import asyncio
import contextlib
import inspect
import re
import socket
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from itertools import product

import pytest
import uvicorn
import uvicorn.config
import uvloop
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from app.api.headers import HEADERS
from app.api.keys import KeyRing
from app.api.problem import Problem
from app.api.service import Service as SharedState
from app.overload import Overloaded
from app.overload.limit import Limit
from app.server import connection as connection_module
from app.server import worker
from app.server.connection import HEAD_LIMIT_S, MAX_UNPARSED_BYTES, Connection
from app.server.head import MAX_HEAD_BYTES, MAX_PARAMETERS, MAX_TARGET_BYTES
from app.settings import Settings
from app.telemetry.counters import FIRST_STATUS, Counters
from harness.launcher import Service, running

REQUEST = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
HALVES = [b"GET", REQUEST[:-2], b"\r\n"]
LIMIT_S = 30
Scene = Callable[[socket.socket, Connection], Awaitable[None]]
Run = Callable[[Scene], None]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers ok, at /echo with the body of the request, at /slow after a while."""
    body = b"ok"
    if scope["path"] == "/slow":
        await asyncio.sleep(1)
    if scope["path"] == "/echo":
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def play(scene: Scene) -> None:
    """A scene with the socket of a client and the connection at its other end."""
    config = uvicorn.Config(app, ws="none", interface="asgi3", log_config=None)
    config.load()
    shared = SharedState(Settings(cors_origins="https://page.example"), Counters())
    shared.keys, shared.writes_digits = KeyRing(), True
    client, server = socket.socketpair()
    client.setblocking(False)
    _, connection = await asyncio.get_running_loop().connect_accepted_socket(
        lambda: Connection(config, ServerState(), {"service": shared}), server
    )
    with client:
        await scene(client, connection)
    connection.transport.close()


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    return lambda scene: request.param(play(scene))


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
            length = re.search(rb"content-length: (\d+)", head)
            if length and len(body) >= int(length[1]):
                return answer
    return answer


def test_bytes_that_are_not_http_are_400_in_the_one_error_body(run: Run) -> None:
    async def scene(client: socket.socket, _: Connection) -> None:
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
        (b"GET /livez HTTP/1.1\r\n", b"a:\r\n" * 50),
    ],
    ids=["long headers", "header", "address", "short headers"],
)
def test_endless_head_is_431(run: Run, start: bytes, piece: bytes) -> None:
    async def scene(client: socket.socket, connection: Connection) -> None:
        client.sendall(start)
        for _ in range(2 * MAX_HEAD_BYTES // len(piece) + 1):
            await asyncio.sleep(0.001)
            if connection.transport.is_closing():
                break  # refused
            client.sendall(piece)
        answer = await read(client)
        assert answer.startswith(b"HTTP/1.1 431 ")
        Problem.model_validate_json(answer.split(b"\r\n\r\n")[1])
        assert connection.cycle is None  # no request has begun

    run(scene)


@pytest.mark.parametrize(
    ("begun", "first"),  # a connection that is silent after a request is idle, not slow
    [(b"", True), *product(HALVES, (True, False))],
)
def test_head_that_does_not_end_closes_the_connection(run: Run, begun: bytes, first: bool) -> None:
    async def scene(client: socket.socket, connection: Connection) -> None:
        if not first:
            await ask(client, REQUEST)
        client.sendall(begun)
        await asyncio.sleep(0.05)
        now = asyncio.get_running_loop().time()
        for later in (0, 1, HEAD_LIMIT_S - 1):
            connection.close_if_slow(now + later)
            assert not connection.transport.is_closing()
        connection.close_if_slow(now + HEAD_LIMIT_S)
        assert await read(client) == b""

    run(scene)


def test_idle_connection_is_not_slow(run: Run) -> None:
    async def scene(client: socket.socket, connection: Connection) -> None:
        for number in range(3):
            await ask(client, REQUEST)
            connection.close_if_slow(number * 1e6)
            assert not connection.transport.is_closing()

    run(scene)


def answers(service: Service, requests: list[bytes]) -> list[list[int]]:
    """The statuses of the answers on each of some connections, whose requests arrive at once."""
    with ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection(("127.0.0.1", service.port), LIMIT_S))
            for _ in requests
        ]
        for client in clients:  # so that the service has accepted it
            client.sendall(REQUEST)
            assert client.recv(2**16).startswith(b"HTTP/1.1 200 ")
        service.pause()
        for client, request in zip(clients, requests, strict=True):
            client.sendall(request)
        service.resume()
        found = [stack.enter_context(client.makefile("rb")).read() for client in clients]
    return [[int(status) for status in re.findall(rb"HTTP/1\.1 (\d+)", text)] for text in found]


LAST = b"GET /generate?digits=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def test_body_of_a_refused_request_is_not_answered_as_a_request() -> None:
    post = b"POST /restyle?digits=1 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b"
    with running("--backlog", "2") as service:
        found = answers(service, [post % (len(REQUEST), REQUEST) + LAST] * 100)
    assert {len(statuses) for statuses in found} == {2}
    assert {first for first, _ in found} == {415, 503}
    assert {last for _, last in found} <= {200, 503}


def test_client_that_pipelines_causes_no_refusal_of_others() -> None:
    with running("--backlog", "16") as service:
        crowd, *others = answers(service, [LAST.replace(b"close", b"x") * 200 + LAST, *[LAST] * 8])
    assert crowd == [200] * 201
    assert others == [[200]] * 8


class FullLimit(Limit):
    """A limit under overload: no further request may wait."""

    def enter(self) -> None:
        raise Overloaded


def test_request_under_overload_is_refused_and_the_connection_stays(run: Run) -> None:
    async def scene(client: socket.socket, connection: Connection) -> None:
        connection.service.limit = FullLimit(1, lambda: 1)
        for target in (b"generate?digits=1", b"generate?digits=1&rows=2") * 2:
            refusal = await ask(client, REQUEST.replace(b"livez", target))
            head, body = refusal.split(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
            assert b"\r\nretry-after: 1\r\n" in head
            problem = Problem.model_validate_json(body)
            assert f"\r\nx-request-id: {problem.request_id}\r\n".encode() in head + b"\r\n"
            for name, value in HEADERS:
                assert name + b": " + value in head
        assert (await ask(client, REQUEST)).endswith(b"ok")  # probes are never refused
        (reading,) = connection.service.counters.readings()
        assert reading.rows["other"][503 - FIRST_STATUS] == 4

    run(scene)


@pytest.mark.parametrize(
    "request_",
    [
        b"POST /generate HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab",
        b"GET /generate HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab",
        b"GET /generate HTTP/1.1\r\nHost: x\r\nOrigin: https://page.example\r\n\r\n",
        b"GET /generate HTTP/1.1\r\nHost: x\r\nX-Request-ID: mine\r\n\r\n",
        b"HEAD /generate HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_other_request_under_overload_is_left_to_the_application(run: Run, request_: bytes) -> None:
    async def scene(client: socket.socket, connection: Connection) -> None:
        connection.service.limit = FullLimit(1, lambda: 1)
        assert b" 200 OK" in await ask(client, request_)

    run(scene)


def test_refused_request_that_asks_for_it_closes_the_connection(run: Run) -> None:
    async def scene(client: socket.socket, connection: Connection) -> None:
        connection.service.limit = FullLimit(1, lambda: 1)
        closing = REQUEST.replace(b"livez", b"").replace(
            b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"
        )
        assert (await ask(client, closing)).startswith(b"HTTP/1.1 503 ")
        assert await read(client) == b""

    run(scene)


UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"GET /livez HTTP/1.1\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
        b"GET /livez HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n",
        b"POST /restyle HTTP/1.1\r\nHost: x\r\n" + UPGRADE + b"Content-Length: 5\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\n" + UPGRADE + b"Transfer-Encoding: chunked\r\n\r\n",
    ],
    ids=["no host", "two hosts", "two hosts, HTTP/1.0", "upgrade, length", "upgrade, chunked"],
)
@pytest.mark.parametrize("before", [0, 2])
def test_ambiguous_head_is_400_and_nothing_after_it_is_read(
    run: Run, head: bytes, before: int
) -> None:
    async def scene(client: socket.socket, _: Connection) -> None:
        client.sendall(REQUEST * before + head + REQUEST)
        answer = b""
        while piece := await read(client):
            answer += piece
        statuses = re.findall(rb"HTTP/1\.1 (\d+)", answer)
        assert statuses == [b"200"] * before + [b"400"]
        Problem.model_validate_json(answer.rpartition(b"\r\n\r\n")[2])

    run(scene)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (b"?" + b"a" * (MAX_TARGET_BYTES - 7), b"200"),
        (b"?" + b"a" * (MAX_TARGET_BYTES - 6), b"414"),
        (b"?" + b"&".join([b"a"] * MAX_PARAMETERS), b"200"),
        (b"?" + b"&".join([b"a"] * (MAX_PARAMETERS + 1)), b"414"),
    ],
)
def test_address_is_bounded(run: Run, path: bytes, status: bytes) -> None:
    async def scene(client: socket.socket, _: Connection) -> None:
        answer = await ask(client, REQUEST.replace(b"/livez", b"/livez" + path))
        assert answer.startswith(b"HTTP/1.1 " + status)

    run(scene)


@pytest.mark.parametrize(
    "value",
    [b"Accept: " + b"," * 64, b"Content-Type: a/b" + b";" * 64, b"If-None-Match: " + b"x" * 1025],
)
def test_long_value_of_a_header_that_is_taken_apart_is_431(run: Run, value: bytes) -> None:
    async def scene(client: socket.socket, _: Connection) -> None:
        answer = await ask(client, REQUEST[:-2] + value + b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 431 ")

    run(scene)


def test_long_header_that_is_not_taken_apart_is_taken(run: Run) -> None:
    async def scene(client: socket.socket, _: Connection) -> None:
        answer = await ask(client, REQUEST[:-2] + b"Cookie: " + b"a=b;" * 2000 + b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 ")

    run(scene)


@pytest.mark.parametrize(("bytes_a_second", "stays"), [(0, False), (64, False), (20_000, True)])
def test_client_that_takes_too_little_is_cut_off(
    run: Run, bytes_a_second: int, stays: bool
) -> None:
    async def scene(client: socket.socket, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        connection.transport.write(b"x" * 2**24)
        now = loop.time()
        for second in range(connection.service.settings.stall_seconds + 2):
            if bytes_a_second and not connection.transport.is_closing():
                await loop.sock_recv(client, bytes_a_second)
            connection.abort_if_stalled(now + second)
        assert connection.transport.is_closing() != stays

    run(scene)


def test_request_to_upgrade_is_answered_and_the_connection_closed(run: Run) -> None:
    async def scene(client: socket.socket, _: Connection) -> None:
        client.sendall(REQUEST[:-2] + UPGRADE + b"\r\n" + REQUEST)
        answer = await read(client)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"\r\nconnection: close\r\n" in answer
        assert await read(client) == b""

    run(scene)


def test_pipelined_requests_are_parsed_as_those_before_them_are_answered(run: Run) -> None:
    async def scene(client: socket.socket, connection: Connection) -> None:
        count, answered = 1000, b""
        connection.data_received(REQUEST * count)
        while answered.count(b"HTTP/1.1 200") < count:
            assert not connection.pipeline
            answered += await read(client)

    run(scene)


def test_pipelined_answers_have_the_order_of_their_requests() -> None:
    plain = b"GET /generate?digits=%d HTTP/1.1\r\nHost: x\r\n\r\n"
    ordinary = b"GET /generate?rows=1&digits=%d HTTP/1.1\r\nHost: x\r\n\r\n"
    unknown = b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"
    requests = [plain % 11, ordinary % 22, plain % 33, unknown, ordinary % 44, plain % 55] * 20
    with (
        running() as service,
        socket.create_connection(("127.0.0.1", service.port), LIMIT_S) as client,
    ):
        client.sendall(b"".join(requests) + LAST)
        text = client.makefile("rb").read()
    found = re.findall(rb"HTTP/1\.1 (404)|tEXtdigits\0(\d+)", text)
    assert found == [
        *[(b"", b"11"), (b"", b"22"), (b"", b"33"), (b"404", b""), (b"", b"44"), (b"", b"55")] * 20,
        (b"", b"1"),
    ]


HIDDEN = b"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /%b HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b"
CHUNKED = b"POST /%b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
PARTS = [
    REQUEST,
    POST % (b"early", len(HIDDEN), HIDDEN),
    POST % (b"echo", len(HIDDEN), HIDDEN),
    CHUNKED % (b"early", len(HIDDEN), HIDDEN),
    CHUNKED % (b"echo", 5, b"first"),
    REQUEST[:-2] + b"X-Rest: " + HIDDEN.replace(b"Host", b"X-Host"),
    POST % (b"echo", 4, b"last"),
]
ECHOES = [b"ok", b"ok", HIDDEN, b"ok", b"first", b"ok", b"last"]


@pytest.mark.parametrize("pause", [False, True])
def test_no_split_of_a_stream_changes_its_answers(run: Run, pause: bool) -> None:
    stream = b"".join(PARTS)

    async def scene(client: socket.socket, _: Connection) -> None:
        for split in range(1, len(stream)):
            client.sendall(stream[:split])
            if pause:
                await asyncio.sleep(0.001)
            client.sendall(stream[split:])
            text = b""
            while text.count(b"HTTP/1.1 ") < len(PARTS) or not text.endswith(b"last"):
                text += await read(client)
            assert re.split(rb"HTTP/1\.1 200 OK\r\ncontent-length: \d+\r\n\r\n", text)[1:] == ECHOES

    run(scene)


def test_body_that_the_application_does_not_take_is_not_read_on(run: Run) -> None:
    async def scene(client: socket.socket, connection: Connection) -> None:
        loop, sent = asyncio.get_running_loop(), 0
        await loop.sock_sendall(client, POST % (b"slow", 2**26, b""))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                while True:
                    sent += 2**16
                    await loop.sock_sendall(client, bytes(2**16))
        assert sent > 2**16
        assert len(connection.cycle.body) < 2**20

    run(scene)


def test_client_that_sends_on_without_an_end_is_cut_off(run: Run) -> None:
    async def scene(_: socket.socket, connection: Connection) -> None:
        connection.data_received(REQUEST)
        connection.data_received(REQUEST * (MAX_UNPARSED_BYTES // len(REQUEST)))
        assert not connection.transport.is_closing()
        connection.data_received(REQUEST)
        assert connection.transport.is_closing()

    run(scene)


@pytest.mark.parametrize("wrong", [b"zz\r\n", b"3\r\nabc\r\n-1\r\n"])
def test_body_that_is_not_http_is_400_at_once(run: Run, wrong: bytes) -> None:
    async def scene(client: socket.socket, _: Connection) -> None:
        head = b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert (await ask(client, head + wrong)).startswith(b"HTTP/1.1 400 ")
        assert await read(client) == b""  # and nothing else

    run(scene)


def test_head_that_ends_beyond_the_limit_is_431(run: Run) -> None:
    async def scene(client: socket.socket, _: Connection) -> None:
        name, end = b"X-A: ", b"\r\n\r\n"
        room = MAX_HEAD_BYTES - len(REQUEST) - len(name)
        assert (await ask(client, REQUEST[:-2] + name + b"a" * (room - 2) + end)).startswith(
            b"HTTP/1.1 200 "
        )
        answer = await ask(client, REQUEST[:-2] + name + b"a" * room + end)
        assert answer.startswith(b"HTTP/1.1 431 ")

    run(scene)


NAMES = {
    uvicorn.Server: ("handle_exit", "on_tick"),
    uvicorn.Server(uvicorn.Config("", log_config=None)): ("started", "should_exit", "server_state"),
    ServerState(): ("connections", "default_headers"),
    HttpToolsProtocol: (
        *("data_received", "on_message_begin", "on_headers_complete", "on_message_complete"),
        *("send_400_response", "timeout_keep_alive_handler", "on_response_complete"),
        *("_unsupported_upgrade_warning", "_unset_keepalive_if_required"),
    ),
    FlowControl: ("pause_reading", "resume_reading"),
    uvicorn.Config: ("bind_socket",),
    uvicorn.config: ("STARTUP_FAILURE",),
}
ATTRIBUTES = {
    HttpToolsProtocol: (
        *("transport", "server_state", "app_state", "cycle", "url", "headers", "parser", "flow"),
        *("loop", "timeout_keep_alive", "timeout_keep_alive_task", "scope", "pipeline"),
    ),
    RequestResponseCycle: (
        *("response_started", "response_complete", "keep_alive", "disconnected", "message_event"),
    ),
    FlowControl: ("write_paused",),
}


def test_every_undocumented_name_of_uvicorn_exists() -> None:
    for owner, names in NAMES.items():
        assert [name for name in names if not hasattr(owner, name)] == []
    for kind, names in ATTRIBUTES.items():
        code = inspect.getsource(kind)
        assert [name for name in names if not re.search(rf"self\.{name}\b.* = ", code)] == []


def test_every_undocumented_name_of_uvicorn_is_listed() -> None:
    listed = set(re.findall(r"`(\w+)`", f"{connection_module.__doc__}{worker.__doc__}"))
    kinds = {"Server", "ServerState", "HttpToolsProtocol", "RequestResponseCycle", "Config"}
    kinds.add("FlowControl")
    names = {name for names in (*NAMES.values(), *ATTRIBUTES.values()) for name in names}
    assert listed - kinds == names
