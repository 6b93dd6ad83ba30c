"""Taking the figures: starts, loads in alternating rounds, memory, isolation, workers."""

import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, TypeVar

from benchmarks.figure import Load, Memory
from benchmarks.plan import LARGEST, SEEDED, UNSEEDED, USUAL, Case, Command
from benchmarks.service import MeasuredService, running
from benchmarks.wrk import parse_wrk, run_wrk, start_wrk
from harness.core import on_core
from harness.launcher import ROOT

BACKGROUND_CONNECTIONS = 2
ASKED_PER_WORKER = 20

T = TypeVar("T")
Say = Callable[[str], None]
Services = Mapping[str, MeasuredService]


@dataclass(frozen=True)
class Settings:
    """How much is measured, and where.

    Attributes:
        rounds: in each, every case is measured once.
        seconds: duration of one load.
        starts: of each service.
        service_core: the only core of every service; None leaves the choice to the system.
        load_core: the only core of wrk.
    """

    rounds: int
    seconds: int
    starts: int
    service_core: int | None
    load_core: int | None


def measure_starts(
    commands: Mapping[str, Command], settings: Settings, say: Say
) -> dict[str, list[float]]:
    """Seconds from process start to the first digit, for each service, in alternating rounds."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(settings.starts):
        for name, command in _alternating(list(commands.items()), number):
            say(f"start {number + 1} of {settings.starts}: {name}")
            with running(command, settings.service_core) as service:
                times[name].append(service.first_digit_s)
    return times


def measure_loads(
    commands: Mapping[str, Command],
    plan: Callable[[Services], Sequence[Case]],
    settings: Settings,
    say: Say,
) -> tuple[dict[str, dict[int, list[Load]]], dict[str, Memory], list[str]]:
    """Every case in alternating rounds; all services but the measured one are paused.

    Args:
        commands: of the services.
        plan: the cases to measure, given the running services.
        settings: how much is measured, and where.
        say: told what is measured.
    Returns:
        loads by case and connections, memory of each service afterwards, sentences about what
        could not be measured.
    """
    with ExitStack() as stack:
        services = {
            name: stack.enter_context(running(command, settings.service_core))
            for name, command in commands.items()
        }
        cases, missing = _possible(plan(services), services)
        loads: dict[str, dict[int, list[Load]]] = {case.name: {} for case in cases}
        for service in services.values():
            service.pause()
        for number in range(settings.rounds):
            for case in _alternating(cases, number):
                service = services[case.service]
                service.resume()
                for connections in case.connections:
                    say(f"round {number + 1} of {settings.rounds}: {case.name}, {connections}")
                    load = _load(service, case, connections, settings)
                    loads[case.name].setdefault(connections, []).append(load)
                service.pause()
        memories = {name: service.memory() for name, service in services.items()}
    return loads, memories, missing


def measure_isolation(command: Command, settings: Settings, say: Say) -> dict[str, list[float]]:
    """p99 in microseconds of the usual request, in turn alone and beside the largest ones."""
    p99: dict[str, list[float]] = {"alone_us": [], "beside_us": []}
    seconds = max(settings.seconds, 2)
    with running(command, settings.service_core) as service:
        if service.ask(LARGEST).status != HTTPStatus.OK:
            return p99
        for number in range(settings.rounds):
            say(f"isolation, round {number + 1} of {settings.rounds}")
            probe = Case("probe", "ours", UNSEEDED)
            lone = replace(settings, seconds=seconds)
            p99["alone_us"].append(_load(service, probe, USUAL, lone).p99_us)
            with on_core(settings.load_core):
                background = start_wrk(
                    service.address, LARGEST, BACKGROUND_CONNECTIONS, seconds + 2
                )
            p99["beside_us"].append(_load(service, probe, USUAL, lone).p99_us)
            parse_wrk(background.communicate()[0], LARGEST.path)
    return p99


def measure_workers(command: Command, say: Say) -> dict[str, float]:
    """Memory of the service with one worker, and of each additional one, in MB."""
    held = {}
    for workers in (1, 2, 3):
        say(f"memory of {workers} workers")
        with running(command, None, "--workers", str(workers)) as service:
            for _ in range(ASKED_PER_WORKER * workers):  # so that each has drawn
                service.ask(UNSEEDED)
            held[workers] = service.memory().proportional
    # From two workers on there is a supervisor, so the step from two to three is one worker.
    return {"one_mb": held[1], "further_mb": held[3] - held[2]}


def measure_engine(python: str, settings: Settings, say: Say) -> dict[str, Any]:
    """The output of `benchmarks.engine`, run in the environment of the service."""
    say("the engine alone")
    with on_core(settings.service_core):
        return _output(python, "benchmarks.engine", settings)


def measure_dataset(python: str, settings: Settings, say: Say) -> dict[str, Any]:
    """The output of `benchmarks.dataset`, on all cores, as it has two processes in the end."""
    say("data sets")
    return _output(python, "benchmarks.dataset", settings)


def _output(python: str, module: str, settings: Settings) -> dict[str, Any]:
    """The JSON that a module prints, run with one thread in the environment of the service."""
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [python, "-m", module, str(settings.rounds)],
        cwd=ROOT,
        env={**os.environ, **one_thread},
        stdout=subprocess.PIPE,
        check=True,
    )
    return dict(json.loads(done.stdout))


def etag(service: MeasuredService) -> str:
    """The ETag of the seeded picture."""
    return service.ask(SEEDED).headers.get("ETag", '"none"')


def _load(service: MeasuredService, case: Case, connections: int, settings: Settings) -> Load:
    before = service.cpu_s()
    with on_core(settings.load_core):
        load = run_wrk(service.address, case.request, connections, settings.seconds)
    requests = load.requests_per_s * settings.seconds
    return replace(load, cpu_us=(service.cpu_s() - before) / requests * 1e6)


def _alternating(items: list[T], number: int) -> list[T]:
    """Every second round in reverse order, so that a drift of the machine affects all alike."""
    return items[::-1] if number % 2 else items


def _possible(cases: Sequence[Case], services: Services) -> tuple[list[Case], list[str]]:
    """The cases that are answered, and a sentence for each that is not."""
    possible, missing = [], []
    for case in cases:
        status = services[case.service].ask(case.request).status
        if status in (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED):
            possible.append(case)
        else:
            missing.append(f"{case.name}: {case.service} answers {status}")
    return possible, missing
