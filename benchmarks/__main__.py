"""`make bench`: the service beside what others would build, on this machine, in one run.

Every service has one worker on one core; wrk, a process of its own, has another. Rounds alternate,
figures are medians, and a service that is not asked is stopped. What can be compared between
machines are the ratios, not the times.
"""

import argparse
import json
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path

from rich.console import Console

from benchmarks.machine import machine_facts
from benchmarks.measurement import (
    Settings,
    measure_engine,
    measure_isolation,
    measure_loads,
    measure_starts,
    measure_workers,
)
from benchmarks.plan import services
from benchmarks.plot import save_plot
from benchmarks.report import Results, print_report
from benchmarks.service import ROOT
from benchmarks.wrk import LoadError, require_wrk

WIDTH = 120  # characters, where the output is no terminal
QUICK = {"rounds": 1, "seconds": 2, "starts": 1}
FULL = {"rounds": 3, "seconds": 3, "starts": 5}


def main(arguments: list[str]) -> None:
    """Measure, print, write `benchmark.json` and `benchmark.png`."""
    options = _parser().parse_args(arguments)
    console = Console()
    if not console.is_terminal:
        console.width = WIDTH
    try:
        require_wrk()
        results = _measure(options, console)
    except LoadError as error:
        raise SystemExit(str(error)) from error
    print_report(results, console)
    options.output.mkdir(parents=True, exist_ok=True)
    document = json.dumps(results.document(), indent=1)
    (options.output / "benchmark.json").write_text(document + "\n")
    save_plot(results, options.output / "benchmark.png")
    console.print(f"Written: {options.output}/benchmark.json and benchmark.png.")


def _measure(options: argparse.Namespace, console: Console) -> Results:
    settings = _settings(options.quick)
    commands = services(options.python, sys.executable)
    ours = commands["ours"]
    machine = machine_facts(options.python, sys.executable)
    everywhere = replace(settings, service_core=None, load_core=None)
    with console.status("") as status:
        starts = measure_starts(commands, settings, status.update)
        engine = measure_engine(options.python, settings, status.update)
        loads, memories, not_measured = measure_loads(commands, settings, status.update)
        isolation = {
            "service on one core": measure_isolation(ours, settings, status.update),
            "on all cores": measure_isolation(ours, everywhere, status.update),
        }
        workers = measure_workers(ours, status.update)
    if settings.service_core is None:
        not_measured.append(
            "services on a core of their own: this system offers one core, or none to choose"
        )
    not_measured.append("networks, other processors, several workers under load, GPUs")
    return Results(
        machine=machine,
        method=asdict(settings),
        loads=loads,
        starts=starts,
        memories=memories,
        engine=engine,
        isolation=isolation,
        workers=workers,
        not_measured=not_measured,
    )


def _settings(quick: bool) -> Settings:
    """One core for the service and one for wrk, where there are two and the system lets choose."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    service_core, load_core = (cores[-1], cores[0]) if len(cores) > 1 else (None, None)
    return Settings(**(QUICK if quick else FULL), service_core=service_core, load_core=load_core)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round, about 2 minutes")
    parser.add_argument(
        "--output",
        type=Path,
        default=ROOT / "runs" / "benchmark",
        help="folder for benchmark.json and benchmark.png",
    )
    parser.add_argument(
        "--python",
        default=str(ROOT / ".venv" / "bin" / "python"),
        help="of the environment that the service runs in",
    )
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
