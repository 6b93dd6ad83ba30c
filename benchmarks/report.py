"""The figures as tables, and as plain values for JSON."""

import math
import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import ENGINE
from benchmarks.figure import Load, Memory, median
from benchmarks.plan import (
    CEILING,
    CONNECTIONS,
    FAST_CEILING,
    FORMATS,
    OURS,
    OURS_ORDINARY,
    PEERS,
    USUAL,
)


@dataclass(frozen=True)
class Results:
    """Everything that one run measured.

    Attributes:
        machine: see `machine_facts`.
        method: rounds, seconds, cores.
        loads: case -> connections -> one load per round.
        starts: service -> seconds to the first digit, one per start.
        memories: service -> memory after the loads.
        engine: see `benchmarks.engine.measure`.
        dataset: see `benchmarks.dataset.measure`.
        isolation: where the service ran -> see `measure_isolation`.
        workers: see `measure_workers`.
        not_measured: sentences.
    """

    machine: Mapping[str, Any]
    method: Mapping[str, Any]
    loads: Mapping[str, Mapping[int, list[Load]]]
    starts: Mapping[str, list[float]]
    memories: Mapping[str, Memory]
    engine: Mapping[str, Any]
    dataset: Mapping[str, Any]
    isolation: Mapping[str, Mapping[str, list[float]]]
    workers: Mapping[str, float]
    not_measured: list[str]

    def rate(self, case: str, connections: int = USUAL) -> float:
        """Median requests a second; NaN where it was not measured."""
        return self._median(case, connections).requests_per_s

    def p50_us(self, case: str, connections: int = USUAL) -> float:
        """Median of the rounds' median latency in microseconds; NaN where not measured."""
        return self._median(case, connections).p50_us

    def cpu_us(self, case: str, connections: int = USUAL) -> float:
        """Median processor time of a request in microseconds; NaN where not measured."""
        return self._median(case, connections).cpu_us

    def start_s(self, service: str) -> float:
        """Median seconds from process start to first digit."""
        return statistics.median(self.starts[service])

    def document(self) -> dict[str, Any]:
        """All of it as plain values, the target table included."""
        return {**asdict(self), "targets": [asdict(target) for target in self.targets()]}

    def targets(self) -> list["Target"]:
        """The figures that have a bound."""
        ours, ceiling, png = self.rate(OURS), self.rate(CEILING), self.cpu_us(OURS_ORDINARY)
        memory, start = self.memories[OURS].resident, self.start_s(OURS)
        share = dict(zip(self.engine["digits"], self.engine["share"], strict=True))
        slowest_p50 = self.p50_us(OURS, 1) / self.p50_us(CEILING, 1)
        return [
            Target("share of ready bytes by an ordinary route", ours / ceiling, 0.6),
            Target("the same in float", self.rate("ours, float") / ceiling, 0.6),
            Target("share of ready bytes on the fast path", ours / self.rate(FAST_CEILING), 0.6),
            Target(
                "fast path, times the requests/s of the ordinary route",
                ours / self.rate(OURS_ORDINARY),
                1.2,
            ),
            *(
                Target(f"times the requests/s of {name}", ours / self.rate(name), least)
                for name, least in zip(PEERS, (3, 8, 8), strict=True)
            ),
            *(
                Target(f"processor time of {name}, times PNG's", self.cpu_us(name) / png, 2.5, True)
                for name in FORMATS
            ),
            Target("p50 at 1 connection, times the ceiling's", slowest_p50, 1.8, at_most=True),
            Target("start to first digit, s", start, 1.0, at_most=True),
            Target("times faster start than plain", self.start_s("plain") / start, 3),
            Target("memory after the loads, MB", memory, 120, at_most=True),
            Target("share of plain's memory", memory / self.memories["plain"].resident, 0.25, True),
            Target("engine at 256 digits, share of sgemm", share[256], 0.7),
            *_targets_of_data_sets(self.dataset),
            *(
                Target(f"p99 beside large requests, times alone ({where})", _slowing(p99), 3, True)
                for where, p99 in self.isolation.items()
            ),
        ]

    def _median(self, case: str, connections: int) -> Load:
        loads = self.loads.get(case, {}).get(connections)
        return median(loads) if loads else Load(math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Target:
    """A figure with its bound."""

    name: str
    measured: float
    bound: float
    at_most: bool = False

    @property
    def met(self) -> bool:
        """Whether the figure is within the bound; one that was not measured is not."""
        return self.measured <= self.bound if self.at_most else self.measured >= self.bound


def _targets_of_data_sets(dataset: Mapping[str, Any]) -> list[Target]:
    """The bounds of the forms, as shares of the engine and the noise alone."""
    bounds = {"npz": 0.75, "idx": 0.75, "webdataset": 0.4, "imagefolder": 0.4, "parquet": 0.4}
    targets = [
        Target(f"{form} of {length} digits, share of the engine", shares[form], bound)
        for length, shares in _shares(dataset).items()
        for form, bound in bounds.items()
        if form in shares
    ]
    return [*targets, Target("two workers, times one", dataset["two_workers"], 1.8)]


def _shares(dataset: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Digits a second of each form, divided by those of the engine and the noise alone."""
    return {
        length: {form: rate / rates[ENGINE] for form, rate in rates.items()}
        for length, rates in dataset["rates"].items()
    }


def print_report(results: Results, console: Console) -> None:
    """Facts, loads, starts and memory, engine, targets, and what was not measured."""
    console.print(f"\n{results.machine}\n{results.method}\n", highlight=False, soft_wrap=True)
    for table in (
        _loads(results),
        _services(results),
        _engine(results),
        _data_sets(results),
        _targets(results),
    ):
        console.print(table)
    workers = results.workers
    console.print(
        f"Memory: one worker {workers['one_mb']:.0f} MB, each additional one "
        f"{workers['further_mb']:.0f} MB (shared pages divided among the processes)."
    )
    for sentence in results.not_measured:
        console.print(f"Not measured: {sentence}.")


def _data_sets(results: Results) -> Table:
    table = Table(title="data sets: digits/s on one core · share of engine and noise alone")
    rates, shares = results.dataset["rates"], _shares(results.dataset)
    table.add_column("form")
    for length in rates:
        table.add_column(f"{length} digit(s)", justify="right")
    for form in next(iter(rates.values())):
        cells = (
            f"{rates[length][form]:,.0f} · {shares[length][form]:.2f}"
            if form in rates[length]
            else ""
            for length in rates
        )
        table.add_row(form, *cells)
    return table


def _loads(results: Results) -> Table:
    table = Table(title="requests/s · p50 ms · p99 ms, by connections; medians of the rounds")
    heads = (*map(str, CONNECTIONS), f"CPU us, {USUAL}", f"of ceiling, {USUAL}")
    table.add_column("request")
    for head in heads:
        table.add_column(head, justify="right")
    for name, loads in results.loads.items():
        cells = (_cell(median(loads[n])) if n in loads else "" for n in CONNECTIONS)
        if USUAL in loads:
            share = f"{results.rate(name) / results.rate(CEILING):.2f}"
            table.add_row(name, *cells, f"{median(loads[USUAL]).cpu_us:,.0f}", share)
        else:
            table.add_row(name, *cells)
    return table


def _cell(load: Load) -> str:
    return f"{load.requests_per_s:,.0f} · {load.p50_us / 1e3:.2f} · {load.p99_us / 1e3:.1f}"


def _services(results: Results) -> Table:
    table = Table(title="rate: ours / theirs; CPU time per request: theirs / ours")
    for column in ("service", "start s", "memory MB", "shared pages divided, MB", "rate", "CPU"):
        table.add_column(column, justify="left" if column == "service" else "right")
    for name, memory in results.memories.items():
        rate = results.rate(OURS) / results.rate(name)
        cpu = results.cpu_us(name) / results.cpu_us(OURS)
        table.add_row(
            name,
            f"{results.start_s(name):.2f}",
            f"{memory.resident:.0f}",
            f"{memory.proportional:.0f}",
            f"{rate:.1f}",
            f"{cpu:.1f}",
        )
    return table


def _engine(results: Results) -> Table:
    engine = results.engine
    table = Table(title=f"one thread, no HTTP; numpy's sgemm: {engine['sgemm_gflops']:.0f} GFLOP/s")
    for column in ("digits", "decoder us/digit", "digits/s", "share of sgemm", "picture us/digit"):
        table.add_column(column, justify="right")
    rows = (engine["digits"], engine["decode_us"], engine["share"], engine["picture_us"])
    for size, decode, share, picture in zip(*rows, strict=True):
        per_digit = (f"{decode / size:.1f}", f"{size / decode * 1e6:,.0f}")
        table.add_row(str(size), *per_digit, f"{share:.2f}", f"{picture / size:.1f}")
    return table


def _targets(results: Results) -> Table:
    table = Table(title=f"targets ({USUAL} connections if not named otherwise)")
    for column in ("target", "measured", "wanted", "met"):
        table.add_column(column)
    for target in results.targets():
        sign = "<=" if target.at_most else ">="
        met = "yes" if target.met else "no"
        table.add_row(target.name, f"{target.measured:.2f}", f"{sign} {target.bound:g}", met)
    return table


def _slowing(p99: Mapping[str, list[float]]) -> float:
    """p99 beside large requests, divided by p99 alone; NaN where not measured."""
    if not p99["alone_us"]:
        return math.nan
    return statistics.median(p99["beside_us"]) / statistics.median(p99["alone_us"])
