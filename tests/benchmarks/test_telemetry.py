import asyncio

from benchmarks.telemetry import measure


def test_measure_has_a_figure_for_each_part() -> None:
    measured = asyncio.run(measure(requests=100, rounds=2))
    assert set(measured) == {"count", "text", "json", "stages"}
    assert measured["stages"] > 0
