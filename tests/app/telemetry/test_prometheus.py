import re
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from urllib.request import urlopen

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse

from app.telemetry.counters import COMPOSE, DECODE, ENCODE, NOISE, ROUTES, Ledger, Page
from app.telemetry.prometheus import own_port, render
from app.settings import SettingError, Settings


def values(pages: Sequence[Page]) -> dict[str, float]:
    """Every sample as `name{label=value,...}`."""
    content, media_type = render(pages)
    assert media_type.startswith("text/plain; version=")
    found = {}
    for family in parse(content.decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={text}" for name, text in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


def busy_ledger() -> Ledger:
    ledger = Ledger()
    ledger.describe(version="1.0", model="aaaa", engine="onnx", precision="int8")
    for status, seconds in ((200, 0.0004), (200, 0.003), (422, 0.001), (503, 0.02)):
        ledger.begin()
        ledger.end("/generate", status, seconds, 100)
    ledger.begin()
    ledger.end("other", 404, 0.001, 10)
    ledger.begin()
    ledger.queue(2, 16)
    for stage, digits in ((NOISE, 0), (DECODE, 8), (COMPOSE, 0), (ENCODE, 0)):
        ledger.lap(stage, 0.0, digits)
    return ledger


def test_render_gives_what_the_ledger_counted() -> None:
    found = values(busy_ledger().pages())
    of_generate = "cvae_requests_total{route=/generate,status=%d}"
    assert [found[of_generate % status] for status in (200, 422, 503, 500)] == [2, 1, 1, 0]
    bucket = "cvae_request_duration_seconds_bucket{le=%s,route=/generate}"
    bounds = ("0.0005", "0.001", "0.002", "0.005", "0.01", "0.025", "10.0", "+Inf")
    assert [found[bucket % bound] for bound in bounds] == [1, 2, 2, 3, 3, 4, 4, 4]
    assert found["cvae_request_duration_seconds_count{route=/generate}"] == 4
    assert found["cvae_request_duration_seconds_sum{route=/generate}"] == pytest.approx(0.0244)
    assert found["cvae_response_bytes_total{route=/generate}"] == 400
    assert found["cvae_digits_drawn_total{}"] == 8
    for stage in ("noise", "decode", "compose", "encode"):
        assert found[f"cvae_stage_seconds_total{{stage={stage}}}"] > 0
    assert found["cvae_requests_in_flight{}"] == 1
    assert (found["cvae_queue_depth{}"], found["cvae_queue_limit{}"]) == (2, 16)
    reasons = {"invalid_request": 1, "overloaded": 1, "not_found": 1, "too_large": 0}
    for reason, count in reasons.items():
        assert found[f"cvae_refusals_total{{reason={reason}}}"] == count
    assert found["cvae_build_info{engine=onnx,model=aaaa,precision=int8,version=1.0}"] == 1
    assert found["cvae_workers{}"] == 1


def test_every_route_has_its_zero_before_the_first_request() -> None:
    found = values(Ledger().pages())
    for route in ROUTES:
        for status in (200, 500, 503):
            assert found[f"cvae_requests_total{{route={route},status={status}}}"] == 0
        assert found[f"cvae_request_duration_seconds_count{{route={route}}}"] == 0


def test_counters_of_the_dead_count_and_their_gauges_do_not() -> None:
    (first,), (second,) = busy_ledger().pages(), busy_ledger().pages()
    found = values([first, replace(second, worker=1, alive=False)])
    assert found["cvae_requests_total{route=/generate,status=200}"] == 4
    assert found["cvae_digits_drawn_total{}"] == 16
    assert found["cvae_requests_in_flight{}"] == 1
    assert found["cvae_queue_depth{}"] == 2
    assert found["cvae_workers{}"] == 1
    assert not [name for name in found if "worker=1" in name]


def test_refused_probe_is_no_refusal() -> None:
    ledger = Ledger()
    ledger.end("/readyz", 503, 0.001, 0)
    assert values(ledger.pages())["cvae_refusals_total{reason=overloaded}"] == 0


def test_reload_shows_both_models_until_all_workers_have_the_new_one() -> None:
    old, new = busy_ledger(), busy_ledger()
    new.describe(model="bbbb")
    info = "cvae_build_info{engine=onnx,model=%s,precision=int8,version=1.0}"
    found = values([*old.pages(), *new.pages()])
    assert found[info % "aaaa"] == found[info % "bbbb"] == 1
    old.describe(model="bbbb")
    found = values([*old.pages(), *new.pages()])
    assert info % "aaaa" not in found
    assert found[info % "bbbb"] == 1


def test_processes_are_measured_by_worker() -> None:
    (page,) = Ledger().pages()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as small:
        found = values([page, replace(page, worker=1, facts={"pid": str(small.pid)})])
        small.communicate(b"\n")
    memory = "process_resident_memory_bytes{worker=%d}"
    assert found[memory % 0] > found[memory % 1] > 0
    for worker in (0, 1):
        assert found[f"process_cpu_seconds_total{{worker={worker}}}"] >= 0
        assert found[f"process_open_fds{{worker={worker}}}"] > 0


def test_openmetrics_where_it_is_accepted() -> None:
    content, media_type = render(
        busy_ledger().pages(), "application/openmetrics-text; version=1.0.0"
    )
    assert media_type.startswith("application/openmetrics-text")
    names = {family.name for family in parse_open(content.decode())}  # type: ignore[no-untyped-call]
    assert {"cvae_requests", "cvae_request_duration_seconds", "cvae_build_info"} <= names


def test_names_keep_to_the_conventions() -> None:
    """Counters end in _total, base units, every metric has help."""
    content, _ = render(busy_ledger().pages())
    for family in parse(content.decode()):
        assert re.fullmatch("(cvae|process)_[a-z_]+", family.name)
        assert family.documentation
        for sample in family.samples:
            assert family.type != "counter" or sample.name.endswith("_total")


def test_own_port_serves_until_the_end() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address, ledger = f"http://127.0.0.1:{port}/metrics", busy_ledger()
    with own_port(Settings(metrics_port=port), ledger.pages), urlopen(address) as answer:
        assert b'cvae_requests_total{route="/generate",status="200"} 2.0' in answer.read()
    with pytest.raises(OSError):
        urlopen(address)


def test_own_port_that_is_taken_raises_with_a_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        sentence = (
            f"^The metrics cannot be served on 127.0.0.1:{port}: Address already in use; choose a "
            "free port with CVAE_METRICS_PORT, or 0 for /metrics on the main port.$"
        )
        with (
            pytest.raises(SettingError, match=sentence),
            own_port(Settings(metrics_port=port), Ledger().pages),
        ):
            pass
