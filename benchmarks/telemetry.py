"""`python -m benchmarks.telemetry`: what counting and logging add to a request, in microseconds.

Measured around an application that answers at once, without a network.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.telemetry.counters import Counters
from app.telemetry.log import AccessLog
from app.telemetry.middleware import TelemetryMiddleware

REQUESTS, ROUNDS = 20_000, 15
BODY = bytes(900)


async def answer(_: Scope, __: Receive, send: Send) -> None:
    """An application that sends the two messages of a picture."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": BODY})


async def measure(requests: int, rounds: int) -> dict[str, float]:
    """The fastest of the alternating rounds, in microseconds per request.

    Returns:
        count: added by the counters; text, json: added to that by each form of log; stages: added
        by timing the stages of drawing.
    """
    async with _reader() as pipe:
        apps: dict[str, ASGIApp] = {
            "bare": answer,
            "count": TelemetryMiddleware(answer, Counters()),
            "text": TelemetryMiddleware(answer, Counters(), AccessLog("text", pipe)),
            "json": TelemetryMiddleware(answer, Counters(), AccessLog("json", pipe)),
        }
        times: dict[str, list[float]] = {name: [] for name in (*apps, "stages")}
        for _ in range(rounds):
            for name, app in apps.items():
                times[name].append(await _requests_us(app, requests))
            times["stages"].append(_stages_us(Counters(), requests))
    best = {name: min(found) for name, found in times.items()}
    return {
        "count": best["count"] - best["bare"],
        "text": best["text"] - best["count"],
        "json": best["json"] - best["count"],
        "stages": best["stages"],
    }


@asynccontextmanager
async def _reader() -> AsyncIterator[int]:
    """A pipe that another process reads, as a collector of logs would."""
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

    scope: Scope = {
        "type": "http",
        "path": "/generate",
        "method": "GET",
        "state": {"request_id": "a" * 16},
    }
    began = perf_counter()
    for _ in range(requests):
        await app(scope, receive, send)
    return (perf_counter() - began) / requests * 1e6


def _stages_us(counters: Counters, requests: int) -> float:
    began = perf_counter()
    for _ in range(requests):
        moments = perf_counter(), perf_counter(), perf_counter(), perf_counter(), perf_counter()
        counters.add_drawing(4, moments)
    return (perf_counter() - began) / requests * 1e6


if __name__ == "__main__":
    json.dump(asyncio.run(measure(REQUESTS, ROUNDS)), sys.stdout)
