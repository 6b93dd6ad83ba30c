"""deploy/monitoring: a real Prometheus reads the real service and evaluates every query."""

import json
import math
import shutil
import subprocess
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
import yaml

from harness.launcher import ROOT, Command, Service, running, wait_until

FOLDER = ROOT / "deploy" / "monitoring"
GRAFANA = FOLDER / "grafana"
DASHBOARD = json.loads((GRAFANA / "dashboards" / "cvae-digits.json").read_text())
PROMETHEUS, PROMTOOL = shutil.which("prometheus"), shutil.which("promtool")

needs_prometheus = pytest.mark.skipif(
    PROMETHEUS is None or PROMTOOL is None, reason="Prometheus is not installed"
)


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
    done = subprocess.run(
        [str(PROMTOOL), *command], cwd=FOLDER, capture_output=True, text=True, check=False
    )
    assert (done.returncode, "SUCCESS" in done.stdout) == (0, True), done.stdout + done.stderr


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


def test_dashboard_is_complete() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        assert panel["title"]
        assert panel["description"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        x, y, width, height = (panel["gridPos"][name] for name in "xywh")
        cells = {(x + i, y + j) for i in range(width) for j in range(height)}
        assert x + width <= 24
        assert not cells & taken, f"{panel['title']} overlaps another panel"
        taken |= cells
    text = json.dumps([panel["title"] for panel in panels]).lower()
    for word in ("rate", "errors", "latency", "saturation", "memory", "digits"):
        assert word in text
    variables = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    assert variables == {"datasource", "instance"}


class Prometheus:
    """The HTTP API of a running Prometheus."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def get(self, path: str, **query: str) -> Any:
        answer = self.service.ask(f"/api/v1/{path}?{urlencode(query)}")
        assert answer.status == 200, f"{query}: {answer.body.decode()}"
        return json.loads(answer.body)["data"]

    def query(self, expression: str) -> list[float]:
        """The value of each sample."""
        return [float(one["value"][1]) for one in self.get("query", query=expression)["result"]]

    def wait_for(self, expression: str, value: float) -> None:
        wait_until(
            lambda: sum(self.query(expression)) == value, f"{expression} did not become {value}."
        )


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with running("--no-access-log", workers=2) as service:
        yield service


@pytest.fixture(scope="module")
def prometheus(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Our configuration, but for the address of the service and the interval."""
    folder = tmp_path_factory.mktemp("prometheus")
    shutil.copy(FOLDER / "rules.yml", folder)
    text = (FOLDER / "prometheus.yml").read_text()
    for old, new in (("digits:8000", f"127.0.0.1:{service.port}"), ("15s", "1s")):
        assert old in text
        text = text.replace(old, new)
    (folder / "prometheus.yml").write_text(text)
    options = {
        "config.file": folder / "prometheus.yml",
        "storage.tsdb.path": folder / "data",
        "web.listen-address": "127.0.0.1:{port}",
    }
    arguments = (str(PROMETHEUS), *(f"--{name}={value}" for name, value in options.items()))
    command = Command(arguments, ready=lambda prometheus: prometheus.status("/-/ready") == 200)
    with running(command=command) as started:
        yield Prometheus(started)


REQUESTS = {  # path -> how often, digits each time
    "/generate?digits=2018": (60, 4),
    "/generate?digits=2018&seed=7": (20, 4),
    "/generate?digits=31415&format=svg": (10, 5),
    "/latent-map?digit=7&cells=3": (3, 9),
    "/generate?digits=x": (7, 0),
    "/nowhere": (5, 0),
}


@pytest.fixture(scope="module")
def traffic(service: Service, prometheus: Prometheus) -> None:
    """The requests, some before and some after Prometheus has seen the first."""
    prometheus.wait_for('up{job="cvae-digits"}', 1)
    for path, (count, _) in REQUESTS.items():
        for _ in range(count):
            service.status(path)
        time.sleep(0.5)


@needs_prometheus
@pytest.mark.usefixtures("traffic")
def test_prometheus_counts_exactly_the_requests_that_were_sent(prometheus: Prometheus) -> None:
    """Two workers answer them; each scrape reaches one of the two."""
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
    for _ in range(2):  # at the first scrape that has them, and at the next
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
    # A rate needs two scrapes.
    wait_until(lambda: bool(prometheus.query(expression)), f"{expression} returns nothing.")
    assert any(map(math.isfinite, prometheus.query(expression)))


@needs_prometheus
@pytest.mark.usefixtures("traffic")
def test_dashboard_finds_its_instances(service: Service, prometheus: Prometheus) -> None:
    (query,) = (
        variable["query"]
        for variable in DASHBOARD["templating"]["list"]
        if variable["type"] == "query"
    )
    assert query == "label_values(cvae_workers, instance)"
    found = prometheus.get("label/instance/values", **{"match[]": "cvae_workers"})
    assert found == [f"127.0.0.1:{service.port}"]


@needs_prometheus
@pytest.mark.usefixtures("traffic")
def test_rules_are_evaluated_and_silent(prometheus: Prometheus) -> None:
    def group() -> Any:
        (found,) = prometheus.get("rules")["groups"]
        return found

    wait_until(
        lambda: all(rule["health"] == "ok" for rule in group()["rules"]), "A rule is not healthy."
    )
    assert len(group()["rules"]) == 8
    assert [rule["name"] for rule in group()["rules"] if rule["state"] == "firing"] == []
