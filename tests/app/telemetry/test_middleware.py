import asyncio
import json
import sys
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.settings import SettingError
from app.telemetry.counters import BYTES, FIRST_STATUS, IN_FLIGHT, SECONDS, STATUSES, Counters
from app.telemetry.log import AccessLog
from app.telemetry.middleware import TelemetryMiddleware, open_tracer

ROUTES = ("/generate", "/livez", "/metrics", "/readyz")


async def answer(scope: Scope, _: Receive, send: Send) -> None:
    scope.setdefault("state", {})["request_id"] = "r1"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"123", "more_body": True})
    await send({"type": "http.response.body", "body": b"4"})


async def break_off(_: Scope, __: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise RuntimeError("in the middle")


async def stay_silent(_: Scope, __: Receive, ___: Send) -> None:
    return


def call(
    app: ASGIApp,
    counters: Counters,
    path: str = "/generate",
    method: str = "GET",
    access_log: AccessLog | None = None,
) -> list[Message]:
    """What an application under the middleware sends."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError("nothing is to be received")

    async def scene() -> None:
        scope = {"type": "http", "path": path, "method": method, "headers": []}
        await TelemetryMiddleware(app, counters, access_log)(scope, receive, send)
        if access_log is not None:
            access_log.flush()

    asyncio.run(scene())
    return sent


def counted(counters: Counters, route: str = "/generate") -> dict[int, float]:
    """Status -> answers."""
    (reading,) = counters.readings()
    row = reading.rows[route]
    assert reading.cells[IN_FLIGHT] == 0
    return {index + FIRST_STATUS: row[index] for index in range(STATUSES) if row[index]}


def test_answer_passes_unchanged_and_is_counted() -> None:
    counters = Counters(ROUTES)
    sent = call(answer, counters)
    assert [message.get("body") for message in sent] == [None, b"123", b"4"]
    assert counted(counters) == {200: 1}
    row = counters.readings()[0].rows["/generate"]
    assert row[BYTES] == 4
    assert row[SECONDS] > 0


def test_request_is_in_flight_until_it_is_answered() -> None:
    counters, seen = Counters(ROUTES), []

    async def look(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(counters.readings()[0].cells[IN_FLIGHT])
        await answer(scope, receive, send)

    call(look, counters)
    assert seen == [1]


def test_head_sends_no_bytes() -> None:
    counters = Counters(ROUTES)
    call(answer, counters, method="HEAD")
    assert counters.readings()[0].rows["/generate"][BYTES] == 0


def test_answer_that_breaks_off_counts_as_an_error() -> None:
    counters = Counters(ROUTES)
    with pytest.raises(RuntimeError, match="in the middle"):
        call(break_off, counters)
    assert counted(counters) == {500: 1}


def test_client_that_leaves_before_an_answer_counts_as_499() -> None:
    counters = Counters(ROUTES)
    call(stay_silent, counters)
    assert counted(counters) == {499: 1}


@pytest.mark.parametrize(
    ("path", "lines"),
    [("/generate", 1), ("/none", 1), ("/livez", 0), ("/readyz", 0), ("/metrics", 0)],
)
def test_log_has_a_line_for_each_request_except_probes(
    path: str, lines: int, tmp_path: Path
) -> None:
    with (tmp_path / "log").open("wb") as file:
        call(answer, Counters(ROUTES), path, access_log=AccessLog("json", file.fileno()))
    documents = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [document["request_id"] for document in documents] == ["r1"] * lines


def test_buffered_lines_are_written_before_the_server_knows_of_the_end(tmp_path: Path) -> None:
    path = tmp_path / "log"

    async def lifespan(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "lifespan.startup.complete"})
        log.write({"method": "GET"}, "/generate", 200, 0.001, 4)
        await send({"type": "lifespan.shutdown.complete"})

    async def send(message: Message) -> None:
        assert path.read_text().count("\n") == (message["type"] == "lifespan.shutdown.complete")

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    with path.open("wb") as file:
        log = AccessLog("json", file.fileno())
        middleware = TelemetryMiddleware(lifespan, Counters(), log)
        asyncio.run(middleware({"type": "lifespan"}, receive, send))  # type: ignore[arg-type]


def test_tracer_without_its_extra_is_a_setting_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "app.telemetry.tracing", None)  # as if not installed
    with pytest.raises(
        SettingError, match=r"^Traces need .* run `pip install 'cvae-digits\[tracing\]'`"
    ):
        open_tracer(Counters())
