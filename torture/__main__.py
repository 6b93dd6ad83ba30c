"""`make torture`: tests every promise of SECURITY.md against a real service.

Each trial starts its own services on 127.0.0.1. Times are judged, so the machine must be idle.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from harness.launcher import ROOT
from harness.nginx import MissingProgramError
from torture.access import try_access
from torture.damage import try_damaged_reloads, try_damages
from torture.fuzz import try_fuzz
from torture.heads import try_heads
from torture.heavy import try_heavy
from torture.identity import try_identity
from torture.monitoring import (
    try_killed_supervisor,
    try_metrics_folder,
    try_metrics_port,
    try_scrapes,
    try_stuck_log,
)
from torture.overload import try_overload, try_overload_behind_nginx
from torture.picture import try_costly_pictures, try_end_while_reading, try_stalled_uploads
from torture.pipelining import try_pipelining
from torture.proxy import try_proxy
from torture.reload import try_hangups, try_reload
from torture.scale import FULL, QUICK, Scale
from torture.shutdown import try_restarts, try_second_signal, try_shutdown
from torture.slow import try_leaving, try_slow
from torture.smuggling import try_smuggling
from torture.soak import try_soak
from torture.training import try_first_disk, try_training, try_two_trainings
from torture.unread import try_unread, try_unread_pipelines
from torture.upload import try_uploads
from torture.verdict import Verdict
from torture.worker import try_worker

Trial = Callable[[Scale], Iterator[Verdict]]
TRIALS: dict[str, tuple[Trial, ...]] = {
    "fuzz": (try_fuzz,),
    "overload": (try_overload, try_overload_behind_nginx),
    "pipelining": (try_pipelining,),
    "smuggling": (try_smuggling,),
    "heavy": (try_heavy,),
    "slow": (try_slow, try_leaving),
    "unread": (try_unread, try_unread_pipelines),
    "heads": (try_heads,),
    "proxy": (try_proxy,),
    "shutdown": (try_shutdown, try_second_signal),
    "restarts": (try_restarts,),
    "worker": (try_worker,),
    "damage": (try_damages, try_damaged_reloads),
    "reload": (try_reload, try_hangups),
    "identity": (try_identity,),
    "monitoring": (
        try_stuck_log,
        try_scrapes,
        try_metrics_port,
        try_metrics_folder,
        try_killed_supervisor,
    ),
    "training": (try_training, try_first_disk, try_two_trainings),
    "uploads": (try_uploads, try_costly_pictures, try_stalled_uploads, try_end_while_reading),
    "access": (try_access,),
    "soak": (try_soak,),
}
WIDTH = 140  # characters, if the output is not a terminal


def main(arguments: list[str]) -> int:
    """Run the trials, print the table and write the figures; 1 if a promise is broken, else 0."""
    options = _parser().parse_args(arguments)
    console = Console()
    if not console.is_terminal:
        console.width = WIDTH
    scale = QUICK if options.quick else FULL
    verdicts: list[Verdict] = []
    begun = time.monotonic()
    for name in options.trial or TRIALS:
        for trial in TRIALS[name]:
            with console.status(name):
                for verdict in _verdicts(name, trial, scale):
                    verdicts.append(verdict)
                    console.print(_mark(verdict.holds), verdict.promise, "-", verdict.figure)
    console.print(table(verdicts))
    broken = sum(not verdict.holds for verdict in verdicts)
    minutes = (time.monotonic() - begun) / 60
    console.print(f"{broken} of {len(verdicts)} promises broken; {minutes:.0f} minutes.")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "scale": asdict(scale),
        "verdicts": [asdict(verdict) for verdict in verdicts],
    }
    options.output.write_text(json.dumps(document, indent=1) + "\n")
    return 1 if broken else 0


def table(verdicts: list[Verdict]) -> Table:
    """A table of promise, figure, limit, and whether it holds."""
    made = Table("promise", "figure", "limit", "", show_lines=True)
    for verdict in verdicts:
        made.add_row(verdict.promise, verdict.figure, verdict.limit, _mark(verdict.holds))
    return made


def _verdicts(name: str, trial: Trial, scale: Scale) -> Iterator[Verdict]:
    """The verdicts of a trial; a promise that cannot be tested does not hold."""
    try:
        yield from trial(scale)
    except MissingProgramError as error:
        yield Verdict(f"{name}: can be tested", str(error), "installed", holds=False)


def _mark(holds: bool) -> str:
    return "[green]holds[/]" if holds else "[bold red]BROKEN[/]"


def _trial(name: str) -> str:
    """The name of a trial. As choices, argparse would also look for a list of none among them."""
    if name not in TRIALS:
        raise argparse.ArgumentTypeError(f"{name} is not one of {', '.join(TRIALS)}")
    return name


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make torture", description=__doc__)
    parser.add_argument(
        "trial", nargs="*", type=_trial, metavar="trial", help=f"one of {', '.join(TRIALS)}"
    )
    parser.add_argument("--quick", action="store_true", help="shorter trials, 5 minutes in all")
    parser.add_argument(
        "--output",
        type=Path,
        default=ROOT / "runs" / "torture" / "torture.json",
        help="file for the figures (default: %(default)s)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
