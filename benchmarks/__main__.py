"""`make bench`: measures the service beside what others would build, in one run.

Every service has one worker on one core. wrk, a process of its own, has another. Rounds alternate,
figures are medians, and services are paused while another one is measured. Between machines,
compare ratios, not times.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.comparison import Comparison, print_comparison
from benchmarks.machine import machine_facts
from benchmarks.measurement import (
    Settings,
    etag,
    measure_dataset,
    measure_engine,
    measure_isolation,
    measure_loads,
    measure_starts,
    measure_workers,
)
from benchmarks.plan import OURS, cases, cases_of_two, services, two_checkouts
from benchmarks.report import Results, print_report
from benchmarks.wrk import LoadError, require_wrk
from harness.core import LOAD_CORE, SERVICE_CORE
from harness.launcher import ROOT, StartError

WIDTH = 120  # characters, if the output is not a terminal
QUICK = Settings(1, 2, 1, SERVICE_CORE, LOAD_CORE)
FULL = Settings(3, 3, 5, SERVICE_CORE, LOAD_CORE)
BESIDE = Settings(9, 3, 9, SERVICE_CORE, LOAD_CORE)  # more rounds, for small differences


def main(arguments: list[str]) -> None:
    """Measure, print and write the figures."""
    options = _parser().parse_args(arguments)
    console = Console()
    if not console.is_terminal:
        console.width = WIDTH
    options.output.mkdir(parents=True, exist_ok=True)
    try:
        require_wrk()
        if options.beside is None:
            _measure_all(options, console)
        else:
            _measure_two(options, console)
    except (LoadError, StartError) as error:
        raise SystemExit(str(error)) from error


def _measure_all(options: argparse.Namespace, console: Console) -> None:
    from benchmarks.plot import save_plot  # on demand: a comparison does not plot

    results = _results(options, console)
    print_report(results, console)
    save_plot(results, options.output / "benchmark.png")
    _write(results.document(), options.output / "benchmark.json", console)


def _measure_two(options: argparse.Namespace, console: Console) -> None:
    settings = QUICK if options.quick else BESIDE
    commands = two_checkouts(options.python, options.beside.resolve())
    machine = machine_facts(options.python)
    with console.status("") as status:
        starts = measure_starts(commands, settings, status.update)
        plan = cases_of_two()
        loads, memories, missing = measure_loads(commands, lambda _: plan, settings, status.update)
    if missing:
        raise LoadError(f"The two cannot be compared: {'; '.join(missing)}.")
    comparison = Comparison(machine, asdict(settings), loads, starts, memories)
    print_comparison(comparison, console)
    _write(comparison.document(), options.output / "comparison.json", console)


def _results(options: argparse.Namespace, console: Console) -> Results:
    settings = QUICK if options.quick else FULL
    commands = services(options.python, sys.executable)
    ours = commands[OURS]
    machine = machine_facts(options.python, sys.executable)
    everywhere = replace(settings, service_core=None, load_core=None)
    with console.status("") as status:
        starts = measure_starts(commands, settings, status.update)
        engine = measure_engine(options.python, settings, status.update)
        dataset = measure_dataset(options.python, settings, status.update)
        loads, memories, not_measured = measure_loads(
            commands,
            lambda running: cases(commands, etag(running[OURS])),
            settings,
            status.update,
        )
        isolation = {
            "service on one core": measure_isolation(ours, settings, status.update),
            "on all cores": measure_isolation(ours, everywhere, status.update),
        }
        workers = measure_workers(ours, status.update)
    if settings.service_core is None:
        not_measured.append("services on a core of their own, which this system does not offer")
    not_measured.append("networks, other processors, several workers under load, GPUs")
    return Results(
        machine=machine,
        method=asdict(settings),
        loads=loads,
        starts=starts,
        memories=memories,
        engine=engine,
        dataset=dataset,
        isolation=isolation,
        workers=workers,
        not_measured=not_measured,
    )


def _write(document: Mapping[str, Any], path: Path, console: Console) -> None:
    path.write_text(json.dumps(document, indent=1) + "\n")
    console.print(f"Written: {path}.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="one short round, about 2 minutes")
    parser.add_argument(
        "--beside",
        type=Path,
        metavar="FOLDER",
        help="measure the service of another checkout of this project ('before') side by side with "
        "that of this one ('after') instead, and write comparison.json; about 4 minutes. Both run "
        "in the environment of --python",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=ROOT / "runs" / "benchmark",
        help="folder for benchmark.json and benchmark.png (default: %(default)s)",
    )
    parser.add_argument(
        "--python",
        default=str(ROOT / ".venv" / "bin" / "python"),
        help="Python of the service's environment (default: %(default)s)",
    )
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
