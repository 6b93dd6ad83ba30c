"""deploy/monitoring: a real Prometheus reads the real service and evaluates every query."""

import json
import math
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
import yaml

from tests.conftest import ROOT

FOLDER = ROOT / "deploy" / "monitoring"
GRAFANA = FOLDER / "grafana"
DASHBOARD = json.loads((GRAFANA / "dashboards" / "cvae-digits.json").read_text())
PROMETHEUS, PROMTOOL = shutil.which("prometheus"), shutil.which("promtool")
LIMIT_S = 60

needs_prometheus = pytest.mark.skipif(
    PROMETHEUS is None or PROMTOOL is None, reason="Prometheus is not installed"
)

Samples = dict[str, float]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@needs_prometheus
@pytest.mark.parametrize(
    "command",
    [
        ["check", "config", "prometheus.yml"],
        ["check", "rules", "rules.yml"],
        ["test", "rules", "rules.test.yml"],
    ],
    ids=" ".join,
)
def test_promtool_finds_nothing_wrong(command: list[str]) -> None:
    done = subprocess.run([str(PROMTOOL), *command], cwd=FOLDER, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout


def test_every_alert_has_a_test() -> None:
    rules = yaml.safe_load((FOLDER / "rules.yml").read_text())["groups"][0]["rules"]
    tests = yaml.safe_load((FOLDER / "rules.test.yml").read_text())["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    fired = {case["alertname"] for case in cases if case.get("exp_alerts")}
    silent = {case["alertname"] for case in cases if not case.get("exp_alerts")}
    assert {rule["alert"] for rule in rules} == fired == silent


def test_grafana_finds_prometheus_and_the_dashboard() -> None:
    (source,) = yaml.safe_load(
        (GRAFANA / "provisioning" / "datasources" / "prometheus.yml").read_text()
    )["datasources"]
    assert (source["type"], source["url"]) == ("prometheus", "http://prometheus:9090")
    (provider,) = yaml.safe_load(
        (GRAFANA / "provisioning" / "dashboards" / "cvae-digits.yml").read_text()
    )["providers"]
    assert (provider["type"], provider["options"]["path"]) == (
        "file",
        "/var/lib/grafana/dashboards",
    )


def test_dashboard_is_whole() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        assert panel["title"]
        assert panel["description"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, f"{panel['title']} lies over another panel"
        taken |= cells
    text = json.dumps([panel["title"] for panel in panels]).lower()
    for word in ("rate", "errors", "latency", "saturation", "memory", "digits"):
        assert word in text
    assert {variable["name"] for variable in DASHBOARD["templating"]["list"]} == {
        "datasource",
        "instance",
    }


class Prometheus:
    """A running Prometheus."""

    def __init__(self, address: str) -> None:
        self.address = address

    def get(self, path: str, **query: str) -> Any:
        try:
            with urlopen(f"{self.address}/api/v1/{path}?{urlencode(query)}") as answer:
                return json.load(answer)["data"]
        except HTTPError as error:
            raise AssertionError(f"{query}: {error.read().decode()}") from error

    def query(self, expression: str) -> Samples:
        """Labels of each sample -> its value."""
        result = self.get("query", query=expression)["result"]
        return {json.dumps(one["metric"], sort_keys=True): float(one["value"][1]) for one in result}

    def number(self, expression: str) -> float:
        return sum(self.query(expression).values())

    def wait_for(self, expression: str, value: float) -> None:
        limit = time.monotonic() + LIMIT_S
        while (found := self.number(expression)) != value:
            assert time.monotonic() < limit, f"{expression} is {found}, not {value}"
            time.sleep(0.1)


@pytest.fixture(scope="module")
def service(serve: Callable[..., AbstractContextManager[str]]) -> Iterator[str]:
    with serve(CVAE_WORKERS="2", CVAE_ACCESS_LOG="false") as address:
        yield address


@pytest.fixture(scope="module")
def prometheus(service: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Our configuration, but for the address of the service and the pace."""
    folder = tmp_path_factory.mktemp("prometheus")
    shutil.copy(FOLDER / "rules.yml", folder)
    text = (FOLDER / "prometheus.yml").read_text()
    for old, new in (("digits:8000", service.removeprefix("http://")), ("15s", "1s")):
        assert old in text
        text = text.replace(old, new)
    (folder / "prometheus.yml").write_text(text)
    port = free_port()
    options = {
        "config.file": folder / "prometheus.yml",
        "storage.tsdb.path": folder / "data",
        "web.listen-address": f"127.0.0.1:{port}",
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(PROMETHEUS), *(f"--{name}={value}" for name, value in options.items())],
            stdout=log,
            stderr=log,
        )
    try:
        wait_until_ready(f"http://127.0.0.1:{port}", process, folder / "log")
        yield Prometheus(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(LIMIT_S)


def wait_until_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    limit = time.monotonic() + LIMIT_S
    while time.monotonic() < limit and process.poll() is None:
        try:
            with urlopen(f"{address}/-/ready"):
                return
        except URLError:
            time.sleep(0.1)
    raise AssertionError(f"Prometheus did not start: {log.read_text()}")


REQUESTS = {  # address -> how often, digits each time
    "/generate?digits=2018": (60, 4),
    "/generate?digits=2018&seed=7": (20, 4),
    "/generate?digits=31415&format=svg": (10, 5),
    "/latent-map?digit=7&cells=3": (3, 9),
    "/generate?digits=x": (7, 0),
    "/nowhere": (5, 0),
}


@pytest.fixture(scope="module")
def traffic(service: str, prometheus: Prometheus) -> None:
    """The requests, some before and some after Prometheus has seen the first."""
    prometheus.wait_for('up{job="cvae-digits"}', 1)
    for path, (count, _) in REQUESTS.items():
        for _ in range(count):
            try:
                urlopen(service + path).close()
            except HTTPError as error:
                error.close()
        time.sleep(0.5)


@needs_prometheus
@pytest.mark.usefixtures("traffic")
def test_prometheus_counts_exactly_the_requests_that_were_sent(prometheus: Prometheus) -> None:
    """Two workers have answered them, one of them each scrape."""
    expected = {
        'cvae_requests_total{route="/generate", status="200"}': 90,
        'cvae_requests_total{route="/generate", status="422"}': 7,
        'cvae_requests_total{route="/latent-map", status="200"}': 3,
        'cvae_requests_total{route="other", status="404"}': 5,
        'cvae_requests_total{status=~"5.."}': 0,
        'cvae_request_duration_seconds_count{route="/generate"}': 97,
        'cvae_request_duration_seconds_bucket{route="/generate", le="+Inf"}': 97,
        "cvae_digits_drawn_total": sum(count * each for count, each in REQUESTS.values()),
        'cvae_refusals_total{reason="invalid_request"}': 7,
        'cvae_refusals_total{reason="not_found"}': 5,
        "cvae_workers": 2,
        "cvae_build_info": 1,
        "cvae_queue_depth": 0,
    }
    for _ in range(2):  # as soon as they are read, and at the next reading
        for expression, value in expected.items():
            prometheus.wait_for(expression, value)
        time.sleep(1.5)
    assert len(prometheus.query("process_resident_memory_bytes")) == 2


QUERIES = {
    f"{panel['title']} {target['refId']}": target["expr"]
    for panel in DASHBOARD["panels"]
    for target in panel["targets"]
}


@needs_prometheus
@pytest.mark.usefixtures("traffic")
@pytest.mark.parametrize("name", QUERIES)
def test_dashboard_query_returns_data(name: str, prometheus: Prometheus) -> None:
    expression = QUERIES[name].replace("$__rate_interval", "1m").replace("$instance", ".*")
    assert "$" not in expression
    limit = time.monotonic() + LIMIT_S
    while not (values := list(prometheus.query(expression).values())):
        assert time.monotonic() < limit, f"{expression} returns nothing"  # a rate needs two scrapes
        time.sleep(0.5)
    assert any(math.isfinite(value) for value in values), values


@needs_prometheus
@pytest.mark.usefixtures("traffic")
def test_dashboard_finds_its_instances(service: str, prometheus: Prometheus) -> None:
    (query,) = (
        variable["query"]
        for variable in DASHBOARD["templating"]["list"]
        if variable["type"] == "query"
    )
    assert query == "label_values(cvae_workers, instance)"
    found = prometheus.get("label/instance/values", **{"match[]": "cvae_workers"})
    assert found == [service.removeprefix("http://")]


@needs_prometheus
@pytest.mark.usefixtures("traffic")
def test_rules_are_evaluated_and_silent(prometheus: Prometheus) -> None:
    limit = time.monotonic() + LIMIT_S
    while True:
        (group,) = prometheus.get("rules")["groups"]
        if all(rule["health"] == "ok" for rule in group["rules"]):
            break
        assert time.monotonic() < limit, group
        time.sleep(0.2)
    assert len(group["rules"]) == 8
    assert [rule["name"] for rule in group["rules"] if rule["state"] == "firing"] == []
