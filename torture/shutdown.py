"""Shutdown without losing a request: one instance under load, and restarts behind a balancer."""

import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from harness.launcher import Service, free_port, running
from torture.balancer import NOT_READY, Balancer
from torture.overload import USUAL
from torture.scale import Scale
from torture.verdict import Verdict

RATE = 50  # requests a second through the balancer
DRAIN_S = 2
LIMIT_S = 10  # from the signal to the exit
WAIT_S = 60
NOT_ACCEPTED = ("ConnectionRefusedError", NOT_READY)


def try_shutdown(_: Scale) -> Iterator[Verdict]:
    """SIGTERM during a load whose sender watches `/readyz`, as a balancer does."""
    with running(CVAE_DRAIN_SECONDS=str(DRAIN_S)) as service:
        end = asyncio.run(_end_under_load(service))
        code = service.process.wait(WAIT_S)
    refused = sum(reason in NOT_ACCEPTED for reason in end.balancer.failed)
    lost = len(end.balancer.failed) - refused
    yield Verdict(
        "SIGTERM under load: not ready, but answering",
        f"503 and a drawing ({end.drawn}) after {end.not_ready_s * 1e3:.0f} ms; "
        f"ended after {end.ended_s:.1f} s",
        f"within the {DRAIN_S} s of draining; <= {LIMIT_S} s",
        end.drawn == 200 and end.not_ready_s < DRAIN_S and end.ended_s <= LIMIT_S,
        timed=True,
    )
    yield Verdict(
        "SIGTERM under load: every accepted request is answered",
        f"{lost} of {end.balancer.sent - refused} lost, exit {code}",
        "0 lost, exit 0",
        not lost and code == 0,
    )


@dataclass
class _End:
    """How a service ended; seconds since the signal."""

    balancer: Balancer
    drawn: int
    not_ready_s: float
    ended_s: float


async def _end_under_load(service: Service) -> _End:
    balancer, done = Balancer([service.port], ready={service.port}), asyncio.Event()
    watch = asyncio.create_task(balancer.watch())
    load = asyncio.create_task(balancer.load(USUAL, RATE, done))
    await asyncio.sleep(DRAIN_S)
    service.signal(signal.SIGTERM)
    begun = time.monotonic()
    while await asyncio.to_thread(service.status, "/readyz") == 200:
        await asyncio.sleep(0)
    drawn = await asyncio.to_thread(service.status, USUAL)
    not_ready_s = time.monotonic() - begun
    await asyncio.to_thread(service.process.wait, WAIT_S)
    ended_s = time.monotonic() - begun
    done.set()
    await load
    watch.cancel()
    return _End(balancer, drawn, not_ready_s, ended_s)


def try_second_signal(_: Scale) -> Iterator[Verdict]:
    """Two signals, where the first alone would start ten minutes of draining."""
    with running(CVAE_DRAIN_SECONDS="600") as service:
        service.signal(signal.SIGTERM)
        while service.status("/readyz") != 503:
            time.sleep(0.01)
        service.signal(signal.SIGTERM)
        begun = time.monotonic()
        service.process.wait(WAIT_S)
        ended_s = time.monotonic() - begun
    yield Verdict(
        "second signal ends at once", f"{ended_s:.2f} s", "<= 1 s", ended_s <= 1, timed=True
    )


def try_restarts(scale: Scale) -> Iterator[Verdict]:
    """Two instances behind a balancer, restarted in turn."""
    balancer = asyncio.run(_restarts(scale))
    reasons = ", ".join(sorted(set(balancer.failed)))
    yield Verdict(
        f"{scale.restarts} restarts behind a balancer at {RATE}/s",
        f"{len(balancer.failed)} of {balancer.sent} failed {reasons}".strip(),
        "0 failed",
        not balancer.failed and balancer.sent > 0,
    )


async def _restarts(scale: Scale) -> Balancer:
    ports = [free_port(), free_port()]
    balancer, done = Balancer(ports), asyncio.Event()
    with ExitStack() as stack:
        instances = {port: _Instance(port) for port in ports}
        for instance in instances.values():
            stack.callback(instance.end)
            await asyncio.to_thread(instance.start)
        watch = asyncio.create_task(balancer.watch())
        while balancer.ready != set(ports):
            await asyncio.sleep(0.05)
        load = asyncio.create_task(balancer.load(USUAL, RATE, done))
        for number in range(scale.restarts):
            begun = time.monotonic()
            await asyncio.to_thread(instances[ports[number % 2]].restart)
            while balancer.ready != set(ports):
                await asyncio.sleep(0.05)
            await asyncio.sleep(max(0, begun + scale.between_s - time.monotonic()))
        done.set()
        await load
        watch.cancel()
    return balancer


class _Instance:
    """A service that can be restarted on its port."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._stack = ExitStack()
        self.service: Service | None = None

    def start(self) -> None:
        service = running(port=self._port, CVAE_DRAIN_SECONDS=str(DRAIN_S))
        self.service = self._stack.enter_context(service)

    def end(self) -> None:
        self._stack.close()  # SIGTERM, and wait

    def restart(self) -> None:
        self.end()
        self.start()
