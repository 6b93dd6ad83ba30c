import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.telemetry.counters import BYTES, FIRST_STATUS, IN_FLIGHT, ROUTES, SECONDS, Ledger
from app.telemetry.log import AccessLog
from app.telemetry.middleware import Observer, observe
from app.settings import Settings


async def answer(scope: Scope, _: Receive, send: Send) -> None:
    scope["request_id"] = "r1"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"123", "more_body": True})
    await send({"type": "http.response.body", "body": b"4"})


async def break_off(_: Scope, __: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise RuntimeError("in the middle")


async def stay_silent(_: Scope, __: Receive, ___: Send) -> None:
    return


def http_scope(path: str = "/generate", method: str = "GET") -> Scope:
    return {"type": "http", "path": path, "method": method, "headers": []}


def call(observer: Observer, scope: Scope) -> list[Message]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def scene() -> None:
        await observer(scope, send, send)  # type: ignore[arg-type]

    asyncio.run(scene())
    return sent


def counted(ledger: Ledger, route: str = "/generate") -> dict[int, float]:
    """Status -> answers."""
    (page,) = ledger.pages()
    row = page.rows()[ROUTES.index(route)]
    return {index + FIRST_STATUS: row[index] for index in range(500) if row[index]}


def test_answer_passes_unchanged_and_is_counted() -> None:
    ledger = Ledger()
    sent = call(Observer(answer, ledger), http_scope())
    assert [message.get("body") for message in sent] == [None, b"123", b"4"]
    assert counted(ledger) == {200: 1}
    (page,) = ledger.pages()
    row = page.rows()[ROUTES.index("/generate")]
    assert row[BYTES] == 4
    assert row[SECONDS] > 0
    assert page.cells[IN_FLIGHT] == 0


def test_request_is_in_flight_while_it_is_answered() -> None:
    ledger, seen = Ledger(), []

    async def look(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(ledger.pages()[0].cells[IN_FLIGHT])
        await answer(scope, receive, send)

    call(Observer(look, ledger), http_scope())
    assert seen == [1]


def test_head_sends_no_bytes() -> None:
    ledger = Ledger()
    call(Observer(answer, ledger), http_scope(method="HEAD"))
    assert ledger.pages()[0].rows()[:, BYTES].sum() == 0


def test_answer_that_breaks_off_counts_as_error() -> None:
    ledger = Ledger()
    with pytest.raises(RuntimeError, match="in the middle"):
        call(Observer(break_off, ledger), http_scope())
    assert counted(ledger) == {500: 1}
    assert ledger.pages()[0].cells[IN_FLIGHT] == 0


def test_client_that_leaves_before_an_answer_counts_as_499() -> None:
    ledger = Ledger()
    call(Observer(stay_silent, ledger), http_scope())
    assert counted(ledger) == {499: 1}


@pytest.mark.parametrize(
    ("path", "lines"),
    [("/generate", 1), ("/none", 1), ("/livez", 0), ("/readyz", 0), ("/metrics", 0)],
)
def test_log_has_a_line_for_each_request_but_probes(path: str, lines: int, tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file:
        observer = Observer(answer, Ledger(), AccessLog("json", file.fileno()))
        call(observer, http_scope(path))
        observer.close()
    documents = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [document["request_id"] for document in documents] == ["r1"] * lines


def test_end_of_the_service_writes_what_is_held_back(tmp_path: Path) -> None:
    async def lifespan(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "lifespan.startup.complete"})
        assert (tmp_path / "log").read_text() == ""
        await send({"type": "lifespan.shutdown.complete"})
        assert (tmp_path / "log").read_text() == "held\n"

    with (tmp_path / "log").open("wb") as file:
        log = AccessLog("json", file.fileno())
        log._held += b"held\n"
        call(Observer(lifespan, Ledger(), log), {"type": "lifespan"})


def test_other_scopes_pass_untouched() -> None:
    seen: list[object] = []

    async def record(*call: Any) -> Any:
        seen.extend(call)

    scope = {"type": "websocket"}
    call(Observer(record, Ledger()), scope)
    assert seen[0] == scope


def test_observe_takes_what_the_settings_ask_for() -> None:
    assert observe(answer, Ledger(), Settings(access_log=False)).access_log is None
    observer = observe(answer, Ledger(), Settings())
    assert observer.access_log is not None
    assert observer.tracer is None


def test_traces_without_their_extra_end_the_start_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "app.telemetry.tracing", None)  # as if it could not be imported
    with pytest.raises(
        SystemExit, match=r"^Traces need .* run `pip install 'cvae-digits\[tracing\]'`"
    ):
        observe(answer, Ledger(), Settings(tracing=True))
