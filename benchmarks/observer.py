"""What it costs to count and to log a request: `python -m benchmarks.observer`, microseconds.

Measured around an application that answers at once, without a network: what is printed is what
each request of the service takes longer.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.telemetry.counters import Ledger
from app.telemetry.log import AccessLog
from app.telemetry.middleware import Observer

REQUESTS, ROUNDS = 20_000, 15
BODY = bytes(900)


async def answer(_: Scope, __: Receive, send: Send) -> None:
    """An application of the two messages that a picture takes."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": BODY})


async def measure(requests: int, rounds: int) -> dict[str, float]:
    """The quietest of the alternating rounds, in microseconds a request.

    Returns:
        count, text, json: what the ledger adds, and then what each form of log adds;
        stages: what timing the stages of drawing adds.
    """
    async with _reader() as pipe:
        ways: dict[str, ASGIApp] = {
            "bare": answer,
            "count": Observer(answer, Ledger()),
            "text": Observer(answer, Ledger(), AccessLog("text", pipe)),
            "json": Observer(answer, Ledger(), AccessLog("json", pipe)),
        }
        times: dict[str, list[float]] = {name: [] for name in (*ways, "stages")}
        for _ in range(rounds):
            for name, way in ways.items():
                times[name].append(await _requests_us(way, requests))
            times["stages"].append(_stages_us(Ledger(), requests))
    best = {name: min(found) for name, found in times.items()}
    return {
        "count": best["count"] - best["bare"],
        "text": best["text"] - best["count"],
        "json": best["json"] - best["count"],
        "stages": best["stages"],
    }


@asynccontextmanager
async def _reader() -> AsyncIterator[int]:
    """A pipe whose other end a process reads, as the one that collects logs does."""
    process = await asyncio.create_subprocess_exec(
        "cat", stdin=-1, stdout=asyncio.subprocess.DEVNULL
    )
    assert process.stdin is not None
    pipe = os.dup(process.stdin.get_extra_info("pipe").fileno())
    os.set_blocking(pipe, True)
    yield pipe
    os.close(pipe)
    process.stdin.close()
    await process.wait()


async def _requests_us(app: ASGIApp, requests: int) -> float:
    async def send(_: Message) -> None:
        return

    async def receive() -> Message:
        return {"type": "http.request"}

    scope: Scope = {"type": "http", "path": "/generate", "method": "GET", "request_id": "a" * 16}
    began = perf_counter()
    for _ in range(requests):
        await app(scope, receive, send)
    return (perf_counter() - began) / requests * 1e6


def _stages_us(ledger: Ledger, requests: int) -> float:
    began = perf_counter()
    for _ in range(requests):
        ledger.line(4, perf_counter(), perf_counter(), perf_counter(), perf_counter())
    return (perf_counter() - began) / requests * 1e6


if __name__ == "__main__":
    json.dump(asyncio.run(measure(REQUESTS, ROUNDS)), sys.stdout)
