"""Taking the figures: starts, loads in alternating rounds, memory, isolation, workers."""

import json
import os
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from benchmarks.figure import Load, Memory
from benchmarks.plan import LARGEST, SEEDED, UNSEEDED, USUAL, Case, Command, cases
from benchmarks.service import ENVIRONMENT, ROOT, Service, on_core, running
from benchmarks.wrk import parse_wrk, run_wrk, start_wrk

BACKGROUND_CONNECTIONS = 2

Say = Callable[[str], None]


@dataclass(frozen=True)
class Settings:
    """How much is measured, and where.

    Attributes:
        rounds: every case once in each.
        seconds: of one load.
        starts: of each service.
        service_core: every service runs on this core only; None leaves the choice to the system.
        load_core: wrk runs on this one.
    """

    rounds: int
    seconds: int
    starts: int
    service_core: int | None
    load_core: int | None


def measure_starts(
    commands: dict[str, Command], settings: Settings, say: Say
) -> dict[str, list[float]]:
    """Seconds from process start to the first digit, for each service, in alternating rounds."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(settings.starts):
        for name, command in commands.items():
            say(f"start {turn + 1} of {settings.starts}: {name}")
            with running(command, settings.service_core) as service:
                times[name].append(service.first_digit_s)
    return times


def measure_loads(
    commands: dict[str, Command], settings: Settings, say: Say
) -> tuple[dict[str, dict[int, list[Load]]], dict[str, Memory], list[str]]:
    """Every case in alternating rounds; a service that is not asked is stopped.

    Returns:
        loads by case and connections, memory of each service afterwards, sentences about what
        could not be measured.
    """
    loads: dict[str, dict[int, list[Load]]] = {}
    with ExitStack() as stack:
        services = {
            name: stack.enter_context(running(command, settings.service_core))
            for name, command in commands.items()
        }
        wanted, missing = _possible(cases(commands, _etag(services["ours"])), services)
        for service in services.values():
            service.sleep()
        for turn in range(settings.rounds):
            for case in wanted:
                service = services[case.service]
                service.wake()
                for connections in case.connections:
                    say(f"round {turn + 1} of {settings.rounds}: {case.name}, {connections}")
                    load = _load(service, case, connections, settings)
                    loads.setdefault(case.name, {}).setdefault(connections, []).append(load)
                service.sleep()
        memories = {name: service.memory() for name, service in services.items()}
    return loads, memories, missing


def measure_isolation(command: Command, settings: Settings, say: Say) -> dict[str, list[float]]:
    """p99 in microseconds of the usual request alone and beside the largest ones, by turns."""
    p99: dict[str, list[float]] = {"alone_us": [], "beside_us": []}
    seconds = max(settings.seconds, 2)
    with running(command, settings.service_core) as service:
        if service.answer(LARGEST)[0] != HTTPStatus.OK:
            return p99
        for turn in range(settings.rounds):
            say(f"isolation, round {turn + 1} of {settings.rounds}")
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
    """Memory of the whole service with one worker, and of each further one, in MB."""
    held = {}
    for workers in (1, 2, 3):
        say(f"memory of {workers} workers")
        arguments = (*command.arguments, "--workers", str(workers))
        with running(replace(command, arguments=arguments), None) as service:
            for _ in range(20 * workers):  # so that each has drawn
                service.answer(UNSEEDED)
            held[workers] = service.memory().proportional
    # From two on there is a supervisor: the difference to three is a worker and nothing else.
    return {"one_mb": held[1], "further_mb": held[3] - held[2]}


def measure_engine(python: str, settings: Settings, say: Say) -> dict[str, Any]:
    """What `benchmarks.engine` prints, run in the environment of the service."""
    say("the engine alone")
    threads = {"OPENBLAS_NUM_THREADS": "1"}  # of the yardstick
    with on_core(settings.service_core):
        done = subprocess.run(
            [python, "-m", "benchmarks.engine", str(settings.rounds)],
            cwd=ROOT,
            env={**os.environ, **ENVIRONMENT, **threads},
            stdout=subprocess.PIPE,
            check=True,
        )
    return dict(json.loads(done.stdout))


def _load(service: Service, case: Case, connections: int, settings: Settings) -> Load:
    before = service.cpu_s()
    with on_core(settings.load_core):
        load = run_wrk(service.address, case.request, connections, settings.seconds)
    requests = load.requests_per_s * settings.seconds
    return replace(load, cpu_us=(service.cpu_s() - before) / requests * 1e6)


def _etag(service: Service) -> str:
    return service.answer(SEEDED)[1].get("etag", '"none"')


def _possible(wanted: list[Case], services: dict[str, Service]) -> tuple[list[Case], list[str]]:
    """The cases that are answered, and a sentence for each that is not."""
    possible, missing = [], []
    for case in wanted:
        status, _ = services[case.service].answer(case.request)
        if status in (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED):
            possible.append(case)
        else:
            missing.append(f"{case.name}: {case.service} answers {status}")
    return possible, missing
