"""`make torture`: every promise of SECURITY.md, with its figure.

Each trial starts services of its own on the loopback and ends them. Times are judged: give it a
machine with nothing else to do.
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

from torture.access import try_access
from torture.damage import try_damages
from torture.fuzz import try_fuzz
from torture.heavy import try_heavy
from torture.load import ROOT
from torture.overload import try_overload
from torture.reload import try_reload
from torture.scale import FULL, QUICK, Scale
from torture.shutdown import try_restarts, try_second_signal, try_shutdown
from torture.slow import try_leaving, try_slow
from torture.soak import try_soak
from torture.training import try_training
from torture.upload import try_uploads
from torture.verdict import Verdict
from torture.worker import try_worker

Trial = Callable[[Scale], Iterator[Verdict]]
TRIALS: dict[str, tuple[Trial, ...]] = {
    "fuzz": (try_fuzz,),
    "overload": (try_overload,),
    "heavy": (try_heavy,),
    "slow": (try_slow, try_leaving),
    "shutdown": (try_shutdown, try_second_signal),
    "restarts": (try_restarts,),
    "worker": (try_worker,),
    "damage": (try_damages,),
    "reload": (try_reload,),
    "training": (try_training,),
    "uploads": (try_uploads,),
    "access": (try_access,),
    "soak": (try_soak,),
}
WIDTH = 140  # characters, where the output is no terminal


def main(arguments: list[str]) -> int:
    """Try, print the table, write `torture.json`; 1 if a promise is broken."""
    options = _parser().parse_args(arguments)
    console = Console()
    if not console.is_terminal:
        console.width = WIDTH
    verdicts: list[Verdict] = []
    begun = time.monotonic()
    for name in options.trial or TRIALS:
        for trial in TRIALS[name]:
            with console.status(name):
                for verdict in trial(QUICK if options.quick else FULL):
                    verdicts.append(verdict)
                    console.print(_mark(verdict.holds), verdict.promise, "-", verdict.figure)
    console.print(table(verdicts))
    broken = sum(not verdict.holds for verdict in verdicts)
    minutes = (time.monotonic() - begun) / 60
    console.print(f"{broken} of {len(verdicts)} promises broken; {minutes:.0f} minutes.")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "scale": asdict(QUICK if options.quick else FULL),
        "verdicts": [asdict(verdict) for verdict in verdicts],
    }
    options.output.write_text(json.dumps(document, indent=1) + "\n")
    return 1 if broken else 0


def table(verdicts: list[Verdict]) -> Table:
    """Promise, figure, limit, and whether it holds."""
    made = Table("promise", "figure", "limit", "", show_lines=True)
    for verdict in verdicts:
        made.add_row(verdict.promise, verdict.figure, verdict.limit, _mark(verdict.holds))
    return made


def _mark(holds: bool) -> str:
    return "[green]holds[/]" if holds else "[bold red]BROKEN[/]"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make torture", description=__doc__)
    parser.add_argument(
        "trial", nargs="*", choices=[[], *TRIALS], help="which ones; without any all of them"
    )
    parser.add_argument("--quick", action="store_true", help="each shorter, about 4 minutes in all")
    parser.add_argument(
        "--output",
        type=Path,
        default=ROOT / "runs" / "torture" / "torture.json",
        help="file for the figures",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
