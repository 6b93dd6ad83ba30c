import io
import math

from rich.console import Console

from benchmarks.comparison import Comparison, print_comparison
from benchmarks.figure import Load, Memory, median
from benchmarks.plan import AFTER, BEFORE, CONNECTIONS, PEERS, cases, cases_of_two, services
from benchmarks.report import Results, Target, print_report

SERVICES = ("ceiling", "ours", *PEERS)


def results() -> Results:
    """A run in which all services are equally fast."""
    commands = services("python", "python")
    load = Load(1000.0, 500.0, 900.0, 100.0)
    engine = {"digits": [1, 256], "decode_us": [100.0, 2560.0], "picture_us": [200.0, 5120.0]}
    return Results(
        machine={"cores": 2},
        method={"rounds": 1},
        loads={
            case.name: {connections: [load] for connections in case.connections}
            for case in cases(commands, '"etag"')
        },
        starts={name: [1.0] for name in SERVICES},
        memories={name: Memory(100.0, 80.0) for name in SERVICES},
        engine={**engine, "share": [0.1, 0.9], "sgemm_gflops": 80.0},
        dataset={
            "rates": {"1": {"engine and noise": 50_000.0, "npz": 40_000.0, "zip": 10_000.0}},
            "two_workers": 1.9,
            "new_file_us": 100.0,
        },
        isolation={"here": {"alone_us": [100.0], "beside_us": [200.0]}},
        workers={"one_mb": 80.0, "further_mb": 50.0},
        not_measured=["networks"],
    )


def test_targets_are_ratios_of_the_medians() -> None:
    targets = {target.name: target for target in results().targets()}
    assert targets["times the requests/s of plain"].measured == 1
    assert targets["engine at 256 digits, share of sgemm"].met
    assert targets["p99 beside large requests, times alone (here)"].measured == 2
    assert not targets["share of plain's memory"].met
    assert targets["npz of 1 digits, share of the engine"].measured == 0.8
    assert targets["two workers, times one"].met
    assert targets["processor time of SVG, times PNG's"].measured == 1


def test_target_that_was_not_measured_is_not_met() -> None:
    assert not Target("a", math.nan, 1).met
    assert not Target("a", math.nan, 1, at_most=True).met


def test_median_is_taken_of_each_figure() -> None:
    loads = [Load(1, 9, 2, 5), Load(2, 8, 3, 5), Load(3, 7, 1, 5)]
    assert median(loads) == Load(2, 8, 2, 5)


def test_print_report_names_every_case_and_what_was_not_measured() -> None:
    console = Console(width=160, file=io.StringIO(), record=True)
    run = results()
    print_report(run, console)
    text = console.export_text()
    for name in (*run.loads, *SERVICES, "Not measured: networks."):
        assert name in text
    assert str(max(CONNECTIONS)) in text
    assert len(run.document()["targets"]) == len(run.targets())


def test_comparison_has_the_ratio_of_each_figure() -> None:
    loads = {
        case.name: {
            connections: [Load(1000.0 if case.service == BEFORE else 1100.0, 500.0, 900.0, 100.0)]
            for connections in case.connections
        }
        for case in cases_of_two()
    }
    starts, memories = (
        {BEFORE: [1.0], AFTER: [0.5]},
        {BEFORE: Memory(100, 90), AFTER: Memory(90, 80)},
    )
    comparison = Comparison({"cores": 2}, {"rounds": 1}, loads, starts, memories)
    ratios = {row.figure: row.ratio for row in comparison.rows()}
    names = ("1 connection", "16 connections", "64 connections")
    assert [ratios[f"requests/s, {name}"] for name in names] == [1.1] * 3
    assert ratios["64 digits: requests/s, 16 connections"] == 1.1
    assert (ratios["start to first digit s"], ratios["memory after the loads MB"]) == (0.5, 0.9)
    console = Console(width=160, file=io.StringIO(), record=True)
    print_comparison(comparison, console)
    text = console.export_text()
    assert [figure for figure in ratios if figure not in text] == []
    assert len(comparison.document()["rows"]) == len(ratios)
