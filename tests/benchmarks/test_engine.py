import pytest

import benchmarks.engine
from benchmarks.engine import measure


def test_measure_has_a_figure_for_each_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmarks.engine, "SIZES", (1, 128))
    monkeypatch.setattr(benchmarks.engine, "SECONDS_A_SIZE", 0.0)
    measured = measure(rounds=1)
    for name in ("decode_us", "picture_us", "share"):
        assert len(measured[name]) == 2
        assert min(measured[name]) > 0
