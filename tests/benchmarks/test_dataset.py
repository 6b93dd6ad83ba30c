import pytest

import benchmarks.dataset
from benchmarks import ENGINE
from benchmarks.dataset import measure


def test_measure_has_a_rate_for_each_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmarks.dataset, "DIGITS", 256)
    monkeypatch.setattr(benchmarks.dataset, "MANY", 512)
    monkeypatch.setattr(benchmarks.dataset, "FORMS", ("npz", "idx", "imagefolder"))
    measured = measure(rounds=1)
    expected = {ENGINE, "npz", "idx", "imagefolder", "npz, varied", "npz, ink", "numbers()"}
    assert set(measured["rates"]["1"]) == expected
    assert set(measured["rates"]["4"]) == set(measured["rates"]["1-8"]) == expected - {"idx"}
    assert all(rate > 0 for rates in measured["rates"].values() for rate in rates.values())
    assert 784 < measured["bytes"]["1"]["idx"] < 1000
    assert set(measured["bytes"]["4"]) == expected - {"idx", ENGINE, "numbers()"}
    assert measured["two_workers"] > 0
