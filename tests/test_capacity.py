"""docs/capacity.md agrees with docs/benchmark.json."""

import json

import pytest
import yaml

from docs.capacity import BENCHMARK, LIMIT, PAGE, UTILISATION, Capacity, current, origin_load
from tests.conftest import ROOT

CORE = Capacity(
    requests_per_s=1000,
    long_requests_per_s=500,
    unchanged_per_s=5000,
    replica_mb=100,
    picture_bytes=1000,
)


def test_page_agrees_with_the_benchmark() -> None:
    """If it does not, run `make capacity`."""
    assert PAGE.read_text() == current(json.loads(BENCHMARK.read_text()))


def test_plan_is_that_of_the_autoscaler() -> None:
    text = (ROOT / "deploy/kubernetes/base/autoscaler.yaml").read_text()
    autoscaler = yaml.safe_load(text)["spec"]
    target = autoscaler["metrics"][0]["resource"]["target"]["averageUtilization"]
    assert target == pytest.approx(UTILISATION * 100)
    assert autoscaler["maxReplicas"] == LIMIT


@pytest.mark.parametrize(("load", "replicas"), [(1, 1), (700, 1), (701, 2), (10**5, 143)])
def test_replicas_are_rounded_up(load: int, replicas: int) -> None:
    assert CORE.replicas(load) == replicas


def test_origin_load_is_what_a_cdn_passes_on() -> None:
    """Of 100 requests, 5 have no seed, and 0.95 have one but are not cached."""
    assert origin_load(100) == pytest.approx(5.95)


def test_dollars_per_million_digits() -> None:
    """700 requests a second of 4 digits: 10.08 million digits an hour, for 4 cents."""
    assert CORE.dollars_per_million_digits(1000, 4) == pytest.approx(0.04 / 10.08)
