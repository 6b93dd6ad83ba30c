"""A small balancer: it sends requests to ready instances only, and never retries one."""

import asyncio
import itertools
from dataclasses import dataclass, field

POLL_S = 0.1
LIMIT_S = 30
NOT_READY = "no instance was ready"
PROBE = b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@dataclass
class Balancer:
    """Sends each request to the next ready instance.

    Attributes:
        ports: of the instances.
        ready: ports of the instances that were ready when last asked.
        sent: number of requests.
        failed: for each request that was not answered with 200, what happened instead.
    """

    ports: list[int]
    ready: set[int] = field(default_factory=set)
    sent: int = 0
    failed: list[str] = field(default_factory=list)

    async def watch(self) -> None:
        """Poll `/readyz` of every instance until cancelled."""
        while True:
            for port in self.ports:
                if await status(port, PROBE) == "200":
                    self.ready.add(port)
                else:
                    self.ready.discard(port)
            await asyncio.sleep(POLL_S)

    async def load(self, path: str, rate: float, done: asyncio.Event) -> None:
        """Send `rate` requests a second until `done` is set, then wait for the last answers."""
        request = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
        loop, tasks = asyncio.get_running_loop(), set()
        start = loop.time()
        for number in itertools.count():
            if done.is_set():
                break
            await asyncio.sleep(start + number / rate - loop.time())
            task = loop.create_task(self._send(request, number))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)

    async def _send(self, request: bytes, number: int) -> None:
        self.sent += 1
        ready = sorted(self.ready)
        if not ready:
            self.failed.append(NOT_READY)
            return
        found = await status(ready[number % len(ready)], request)
        if found != "200":
            self.failed.append(found)


async def status(port: int, request: bytes) -> str:
    """The status of a complete answer, or the reason why there is none."""
    try:
        async with asyncio.timeout(LIMIT_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            answer = await reader.read()
            writer.close()
    except (OSError, TimeoutError) as error:
        return type(error).__name__
    head, _, body = answer.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length: ") and int(line[16:]) != len(body):
            return "cut short"
    return head[9:12].decode() or "no answer"
