"""Two checkouts of this project side by side: the figures before and after a change."""

import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.figure import Load, Memory, median
from benchmarks.plan import AFTER, BEFORE, CONNECTIONS, USUAL


@dataclass(frozen=True)
class Row:
    """One figure of both.

    Attributes:
        figure: its name, with the unit.
        before: of the other checkout.
        after: of this one.
    """

    figure: str
    before: float
    after: float

    @property
    def ratio(self) -> float:
        """After, in times before."""
        return self.after / self.before


@dataclass(frozen=True)
class Comparison:
    """What one run measured.

    Attributes:
        machine: see `machine_facts`.
        method: rounds, seconds, cores.
        loads: case -> connections -> one load per round.
        starts: service -> seconds to the first digit, one per start.
        memories: service -> memory after the loads.
    """

    machine: Mapping[str, Any]
    method: Mapping[str, Any]
    loads: Mapping[str, Mapping[int, list[Load]]]
    starts: Mapping[str, list[float]]
    memories: Mapping[str, Memory]

    def rows(self) -> list[Row]:
        """Medians of the rounds."""

        def load(figure: str, connections: int, name: str, kind: str = "") -> Row:
            found = (median(self.loads[side + kind][connections]) for side in (BEFORE, AFTER))
            before, after = (float(getattr(one, name)) for one in found)
            plural = "" if connections == 1 else "s"
            return Row(f"{figure}, {connections} connection{plural}", before, after)

        start = (statistics.median(self.starts[side]) for side in (BEFORE, AFTER))
        memory = (self.memories[side].resident for side in (BEFORE, AFTER))
        return [
            *(load("requests/s", connections, "requests_per_s") for connections in CONNECTIONS),
            load("64 digits: requests/s", USUAL, "requests_per_s", ", 64 digits"),
            load("p50 us", 1, "p50_us"),
            load("CPU us per request", USUAL, "cpu_us"),
            Row("start to first digit s", *start),
            Row("memory after the loads MB", *memory),
        ]

    def document(self) -> dict[str, Any]:
        """All of it as plain values, with the rows."""
        return {**asdict(self), "rows": [asdict(row) for row in self.rows()]}


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Facts, then a table."""
    console.print(f"\n{comparison.machine}\n{comparison.method}\n", highlight=False, soft_wrap=True)
    table = Table(title="four digits where nothing else is named; medians of the rounds")
    for column in ("figure", BEFORE, AFTER, f"{AFTER} / {BEFORE}"):
        table.add_column(column, justify="left" if column == "figure" else "right")
    for row in comparison.rows():
        figures = f"{row.before:,.4g}", f"{row.after:,.4g}", f"{row.ratio:.3f}"
        table.add_row(row.figure, *figures)
    console.print(table)
