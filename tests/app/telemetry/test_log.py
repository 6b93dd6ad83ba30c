import asyncio
import json
import logging
import os
import re
import select
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.settings import LogForm
from app.telemetry.log import AccessLog, configure_log
from app.telemetry.writer import LogWriter

SCOPE = {"method": "GET", "state": {"request_id": "3f1c9a52d07be684"}}
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def written(path: Path, form: LogForm, *calls: Any) -> str:
    """What an access log writes for these calls."""

    async def scene() -> None:
        with path.open("wb") as file:
            log = AccessLog(form, file.fileno())
            for call in calls:
                log.write(*call)
            log.flush()

    asyncio.run(scene())
    return path.read_text()


def test_json_line_has_the_facts_of_the_request(tmp_path: Path) -> None:
    text = written(tmp_path / "log", "json", (SCOPE, "/generate", 200, 0.0123456, 812))
    document = json.loads(text)
    assert text.endswith("}\n")
    assert re.fullmatch(TIME, document.pop("time"))
    assert document == {
        "level": "info",
        "message": "request",
        "request_id": "3f1c9a52d07be684",
        "method": "GET",
        "route": "/generate",
        "status": 200,
        "duration_ms": 12.346,
        "bytes": 812,
    }


def test_json_line_of_a_traced_error(tmp_path: Path) -> None:
    trace = "a" * 32
    document = json.loads(written(tmp_path / "log", "json", (SCOPE, "/", 500, 1, 0, trace)))
    assert (document["level"], document["trace_id"]) == ("error", trace)


def test_text_line(tmp_path: Path) -> None:
    text = written(tmp_path / "log", "text", (SCOPE, "/generate", 200, 0.0123456, 812))
    assert re.fullmatch(
        f"INFO:     {TIME} GET /generate 200 12.346 ms 812 bytes 3f1c9a52d07be684\n", text
    )


def test_unknown_method_is_not_repeated(tmp_path: Path) -> None:
    scope = {"method": '","admin":"true'}
    document = json.loads(written(tmp_path / "log", "json", (scope, "other", 405, 0, 0)))
    assert (document["method"], document["request_id"]) == ("other", "")


def test_each_write_has_whole_lines_and_is_atomic_for_a_pipe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Therefore lines of several workers never mix."""
    pieces: list[bytes] = []

    def write(_: int, data: bytes) -> int:
        pieces.append(bytes(data))
        return len(data)

    monkeypatch.setattr(os, "write", write)

    async def scene() -> None:
        log = AccessLog("json")
        for _ in range(1000):
            log.write(SCOPE, "/generate", 200, 0.001, 812)
        log.flush()

    asyncio.run(scene())
    assert 10 < len(pieces) < 100
    assert all(piece.endswith(b"}\n") and len(piece) <= select.PIPE_BUF for piece in pieces)
    assert b"".join(pieces).count(b"\n") == 1000


def test_line_of_a_quiet_service_is_soon_written(tmp_path: Path) -> None:
    async def scene() -> None:
        with (tmp_path / "log").open("wb") as file:
            log = AccessLog("json", file.fileno())
            for count in (1, 2):
                log.write(SCOPE, "/generate", 200, 0.001, 812)
                async with asyncio.timeout(30):
                    while (tmp_path / "log").read_text().count("\n") < count:
                        await asyncio.sleep(0.01)

    asyncio.run(scene())


def test_log_without_a_reader_fails_no_request() -> None:
    async def scene() -> None:
        reader, writer = os.pipe()
        os.close(reader)
        dropped: list[int] = []
        log = AccessLog("json", writer, dropped.append)
        for _ in range(2):
            log.write(SCOPE, "/generate", 200, 0.001, 812)
            log.flush()
        os.close(writer)
        assert dropped == [1, 1]

    asyncio.run(scene())


def test_log_whose_reader_stops_lets_nothing_wait_and_counts_what_is_dropped() -> None:
    lines = 30_000
    dropped: list[int] = []

    async def scene() -> None:
        log = AccessLog("json", writer, dropped.append)
        for _ in range(lines):
            log.write(SCOPE, "/generate", 200, 0.001, 812)
        log.flush()
        assert 0 < sum(dropped) < lines
        read = bytearray()
        while read.count(b"\n") + sum(dropped) < lines:  # the reader goes on
            read += await asyncio.to_thread(os.read, reader, 2**16)
        assert {json.loads(line)["bytes"] for line in read.splitlines()} == {812}

    reader, writer = os.pipe()
    asyncio.run(scene())


def test_log_to_a_pipe_that_somebody_made_non_blocking_is_complete() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    out = LogWriter(writer)
    for number in range(2000):
        out.write(f"{number:>99}\n".encode())
    read = bytearray()
    while read.count(b"\n") < 2000:
        read += os.read(reader, 2**16)
    assert [int(line) for line in read.splitlines()] == list(range(2000))


@pytest.fixture
def clean_logging() -> Iterator[None]:
    names = ("", "uvicorn", "uvicorn.error")
    loggers = [logging.getLogger(name) for name in names]
    kept = [(logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    yield
    for logger, (handlers, level, propagate) in zip(loggers, kept, strict=True):
        logger.handlers[:], logger.propagate = handlers, propagate
        logger.setLevel(level)


@pytest.mark.usefixtures("clean_logging")
def test_server_messages_as_json(capfd: pytest.CaptureFixture[str]) -> None:
    configure_log("json")
    logging.getLogger("uvicorn.error").info('said "%s"\n', "so")
    try:
        raise RuntimeError("of the work")
    except RuntimeError:
        logging.getLogger("elsewhere").exception("failed")
    logging.getLogger("elsewhere").info("of no interest")
    logging.getLogger().handlers[0].flush()
    first, second = map(json.loads, capfd.readouterr().err.splitlines())
    written_at = datetime.fromisoformat(first.pop("time"))
    assert abs((datetime.now(UTC) - written_at).total_seconds()) < 3600
    assert first == {"level": "info", "message": 'said "so"'}
    assert (second["level"], second["message"]) == ("error", "failed")
    assert second["exception"].endswith("RuntimeError: of the work")


@pytest.mark.usefixtures("clean_logging")
def test_server_messages_as_text(capfd: pytest.CaptureFixture[str]) -> None:
    configure_log("text")
    logging.getLogger("uvicorn.error").info("said")
    logging.getLogger().handlers[0].flush()
    assert capfd.readouterr().err == "INFO:     said\n"
