import io
import math

from rich.console import Console

from benchmarks.figure import Load, Memory, median
from benchmarks.plan import CONNECTIONS, cases, services
from benchmarks.report import Results, Target, print_report

SERVICES = ("ceiling", "ours", "plain", "LitServe", "BentoML")


def results() -> Results:
    """A run in which every service is as fast as every other."""
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
        isolation={"here": {"alone_us": [100.0], "beside_us": [200.0]}},
        workers={"one_mb": 80.0, "further_mb": 50.0},
        not_measured=["the weather"],
    )


def test_targets_are_ratios_of_the_medians() -> None:
    targets = {target.name: target for target in results().targets()}
    assert targets["times the requests/s of plain"].measured == 1
    assert targets["engine at 256 digits, share of sgemm"].met
    assert targets["p99 beside large requests, times alone (here)"].measured == 2
    assert not targets["share of plain's memory"].met


def test_target_that_was_not_measured_is_not_met() -> None:
    assert not Target("a", math.nan, 1).met
    assert not Target("a", math.nan, 1, at_most=True).met


def test_median_takes_each_figure_for_itself() -> None:
    loads = [Load(1, 9, 2, 5), Load(2, 8, 3, 5), Load(3, 7, 1, 5)]
    assert median(loads) == Load(2, 8, 2, 5)


def test_print_report_names_every_case_and_what_was_not_measured() -> None:
    console = Console(width=160, file=io.StringIO(), record=True)
    run = results()
    print_report(run, console)
    text = console.export_text()
    for name in (*run.loads, *SERVICES, "Not measured: the weather."):
        assert name in text
    assert str(max(CONNECTIONS)) in text
    assert len(run.document()["targets"]) == len(run.targets())
