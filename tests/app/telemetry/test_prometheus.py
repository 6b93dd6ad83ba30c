import re
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse

from app.settings import SettingError
from app.telemetry.counters import Counters, Reading, open_counters, read_counters
from app.telemetry.metrics_port import own_port
from app.telemetry.prometheus import Scrapes, render
from harness.launcher import free_port

ROUTES = ("/generate", "/livez", "/morph")


def values(readings: Sequence[Reading]) -> dict[str, float]:
    """Every sample as `name{label=value,...}`."""
    content, media_type = render(readings)
    assert media_type.startswith("text/plain; version=")
    found = {}
    for family in parse(content.decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={text}" for name, text in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


def busy_counters() -> Counters:
    counters = Counters(ROUTES)
    counters.describe(version="1.0", model="aaaa", engine="onnx", precision="int8")
    generate = counters.routes.find("/generate")[0]
    for status, seconds in ((200, 0.0004), (200, 0.003), (422, 0.001), (503, 0.02)):
        counters.begin()
        counters.end(generate, status, seconds, 100)
    for status in (404, 408):
        counters.begin()
        counters.end(0, status, 0.001, 10)
    counters.begin()
    counters.queue(2, 16)
    counters.add_drawing(8, (0, 1, 2, 3, 4))
    return counters


def test_render_gives_what_was_counted() -> None:
    found = values(busy_counters().readings())
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
    reasons = {"invalid_request": 1, "overloaded": 1, "not_found": 1, "too_slow": 1, "too_large": 0}
    for reason, count in reasons.items():
        assert found[f"cvae_refusals_total{{reason={reason}}}"] == count
    assert found["cvae_build_info{engine=onnx,model=aaaa,precision=int8,version=1.0}"] == 1
    assert found["cvae_workers{}"] == 1


def test_every_route_has_its_zero_before_the_first_request() -> None:
    found = values(Counters(ROUTES).readings())
    for route in ROUTES:
        for status in (200, 500, 503):
            assert found[f"cvae_requests_total{{route={route},status={status}}}"] == 0
        assert found[f"cvae_request_duration_seconds_count{{route={route}}}"] == 0


def test_counters_of_the_dead_count_and_their_gauges_do_not() -> None:
    (first,), (second,) = busy_counters().readings(), busy_counters().readings()
    found = values([first, replace(second, worker=1, alive=False)])
    assert found["cvae_requests_total{route=/generate,status=200}"] == 4
    assert found["cvae_digits_drawn_total{}"] == 16
    assert found["cvae_requests_in_flight{}"] == 1
    assert found["cvae_queue_depth{}"] == 2
    assert found["cvae_workers{}"] == 1
    assert not [name for name in found if "worker=1" in name]


def test_refused_probe_is_not_a_refusal() -> None:
    counters = Counters(ROUTES)
    counters.end(counters.routes.find("/livez")[0], 503, 0.001, 0)
    assert values(counters.readings())["cvae_refusals_total{reason=overloaded}"] == 0


def test_workers_of_another_version_are_summed_by_name(tmp_path: Path) -> None:
    """The reader knows no application; the names of the routes are in the files."""
    assert values(read_counters(tmp_path))["cvae_workers{}"] == 0
    with (
        closing(open_counters(tmp_path, ROUTES)) as old,
        closing(open_counters(tmp_path, ("/added", *ROUTES))) as new,
    ):
        for counters in (old, new):
            counters.end(counters.routes.find("/generate")[0], 200, 0.001, 100)
        found = values(read_counters(tmp_path))
    assert found["cvae_requests_total{route=/generate,status=200}"] == 2
    assert found["cvae_requests_total{route=/added,status=200}"] == 0


def test_reload_shows_both_models_until_all_workers_have_the_new_one() -> None:
    old, new = busy_counters(), busy_counters()
    new.describe(model="bbbb")
    info = "cvae_build_info{engine=onnx,model=%s,precision=int8,version=1.0}"
    found = values([*old.readings(), *new.readings()])
    assert found[info % "aaaa"] == found[info % "bbbb"] == 1
    old.describe(model="bbbb")
    found = values([*old.readings(), *new.readings()])
    assert info % "aaaa" not in found
    assert found[info % "bbbb"] == 1


def test_processes_are_measured_by_worker() -> None:
    (reading,) = Counters(ROUTES).readings()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as small:
        found = values([reading, replace(reading, worker=1, facts={"pid": str(small.pid)})])
        small.communicate(b"\n")
    memory = "process_resident_memory_bytes{worker=%d}"
    assert found[memory % 0] > found[memory % 1] > 0
    for worker in (0, 1):
        assert found[f"process_cpu_seconds_total{{worker={worker}}}"] >= 0
        assert found[f"process_open_fds{{worker={worker}}}"] > 0


def test_openmetrics_where_it_is_accepted() -> None:
    content, media_type = render(
        busy_counters().readings(), "application/openmetrics-text; version=1.0.0"
    )
    assert media_type.startswith("application/openmetrics-text")
    names = {family.name for family in parse_open(content.decode())}  # type: ignore[no-untyped-call]
    assert {"cvae_requests", "cvae_request_duration_seconds", "cvae_build_info"} <= names


def test_names_keep_to_the_conventions() -> None:
    """Counters end in _total, base units, every metric has help."""
    content, _ = render(busy_counters().readings())
    for family in parse(content.decode()):
        assert re.fullmatch("(cvae|process)_[a-z_]+", family.name)
        assert family.documentation
        for sample in family.samples:
            assert family.type != "counter" or sample.name.endswith("_total")


def test_own_port_serves_until_the_end() -> None:
    port = free_port()
    address, counters = f"http://127.0.0.1:{port}/metrics", busy_counters()
    with own_port("127.0.0.1", port, counters.readings), urlopen(address) as answer:
        assert b'cvae_requests_total{route="/generate",status="200"} 2.0' in answer.read()
    with pytest.raises(OSError, match="refused"):
        urlopen(address)


def test_metrics_are_computed_once_for_all_who_ask_at_the_same_time() -> None:
    read: list[int] = []
    counters = busy_counters()

    def readings() -> list[Reading]:
        read.append(1)
        return counters.readings()

    scrapes = Scrapes(readings)
    assert scrapes.kept("") is None
    with ThreadPoolExecutor(8) as pool:
        accepted = ["", "text/plain", "*/*", "application/openmetrics-text;version=0.0.1"] * 50
        found = set(pool.map(scrapes.render, accepted))
    assert (len(read), len(found)) == (2, 2)  # one for each form


def test_own_port_answers_beside_hundreds_of_silent_and_slow_connections() -> None:
    port, threads = free_port(), threading.active_count()
    with own_port("127.0.0.1", port, busy_counters().readings), ExitStack() as stack:
        for number in range(300):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            client.sendall(b"GET /metrics HTTP/1.1\r\nX: " if number % 2 else b"")
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
            assert b"cvae_requests_total" in answer.read()
        assert threading.active_count() <= threads + 1
    assert threading.active_count() == threads


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.0\r\n\r\n", b"HTTP/1.1 200 OK"),
        (b"HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 200 OK"),
        (b"POST / HTTP/1.1\r\n\r\n", b"HTTP/1.1 405 Method Not Allowed"),
        (b"\r\n\r\n", b"HTTP/1.1 405 Method Not Allowed"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 9000 + b"\r\n\r\n", b""),
    ],
)
def test_own_port_answers_each_connection_once(request_: bytes, status: bytes) -> None:
    port, answer = free_port(), b""
    with (
        own_port("127.0.0.1", port, busy_counters().readings),
        socket.create_connection(("127.0.0.1", port), 30) as client,
    ):
        client.sendall(request_)
        with suppress(ConnectionResetError):
            while more := client.recv(2**16):
                answer += more
    assert answer.partition(b"\r\n")[0] == status


def test_own_port_that_is_taken_is_a_setting_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        sentence = (
            f"^The metrics cannot be served on 127.0.0.1:{port}: Address already in use; choose a "
            "free port with CVAE_METRICS_PORT, or 0 for /metrics on the main port.$"
        )
        with (
            pytest.raises(SettingError, match=sentence),
            own_port("127.0.0.1", port, Counters(ROUTES).readings),
        ):
            pass
