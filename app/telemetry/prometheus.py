"""The counters of all workers as Prometheus metrics.

Import it only when metrics are needed: the Prometheus client takes 10 ms to import.
"""

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import numpy as np
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from app.telemetry import counters
from app.telemetry.counters import Cells, Reading
from app.telemetry.route import PROBES

# Shown even before they occur: a rate needs the zero that it rises from.
ALWAYS_SHOWN = (200, 500, 503)
REASONS = {
    401: "unauthorized",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    408: "too_slow",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid_request",
    503: "overloaded",
}

OPEN_METRICS = "application/openmetrics-text"
KEPT_S = 1  # a scrape takes 8 to 19 ms, and Prometheus asks every 15 s

Readings = Sequence[Reading]
Rows = dict[str, Cells]  # of each route


class CountersCollector(Collector):
    """Sums the counters of all workers for one scrape.

    Counters include workers that have ended; gauges only those that are alive.
    """

    def __init__(self, readings: Readings) -> None:
        self._readings = readings

    def collect(self) -> Iterable[Metric]:
        """The metrics."""
        readings = self._readings
        rows: Rows = {}
        for route, row in (pair for reading in readings for pair in reading.rows.items()):
            rows[route] = rows[route] + row if route in rows else row
        yield from _requests(rows)
        yield from _drawing(_sum(readings))
        living = [reading for reading in readings if reading.alive]
        yield from _gauges(_sum(living))
        yield from _identity(living)
        yield from _processes(living)


def render(readings: Readings, accept: str = "") -> tuple[bytes, str]:
    """The metrics as text, and its media type: Prometheus' form, or OpenMetrics where accepted."""
    encode, media_type = choose_encoder(accept)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(CountersCollector(readings))
    return encode(registry), media_type


class Scrapes:
    """The metrics as text, computed at most once in `KEPT_S`, however many ask for them."""

    def __init__(self, read: Callable[[], Readings]) -> None:
        """Nothing is computed yet.

        Args:
            read: the counts up to now.
        """
        self._read, self._lock = read, threading.Lock()
        self._kept: dict[str, tuple[float, tuple[bytes, str]]] = {}

    def kept(self, accept: str) -> tuple[bytes, str] | None:
        """What `render` returns, if it need not be computed."""
        made_at, text = self._kept.get(_form(accept), (-math.inf, None))
        return text if time.monotonic() < made_at + KEPT_S else None

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """The metrics and their media type, see `render`; at most `KEPT_S` old."""
        with self._lock:  # those who wait for it take what the first has computed
            if (text := self.kept(accept)) is None:
                form = _form(accept)
                text = render(self._read(), form)
                self._kept[form] = time.monotonic(), text
            return text


def _form(accept: str) -> str:
    """An Accept header that has the same effect; there are two, so little is computed and kept."""
    return OPEN_METRICS if OPEN_METRICS in accept else ""


def _sum(readings: Readings) -> Cells:
    return sum((reading.cells for reading in readings), np.zeros(counters.ROWS))


def _requests(rows: Rows) -> Iterator[Metric]:
    answers = CounterMetricFamily(
        "cvae_requests", "Requests answered, by route and HTTP status.", labels=["route", "status"]
    )
    latency = HistogramMetricFamily(
        "cvae_request_duration_seconds",
        "From the arrival of a request to the last byte of its answer, by route.",
        labels=["route"],
    )
    sent = CounterMetricFamily(
        "cvae_response_bytes", "Bytes of the answers' bodies, by route.", labels=["route"]
    )
    bounds = [*map(floatToGoString, counters.BUCKETS_S), "+Inf"]
    for route, row in rows.items():
        for status in _shown(row):
            answers.add_metric([route, str(status)], row[status - counters.FIRST_STATUS])
        counts = row[counters.BUCKET : counters.SECONDS].cumsum()
        latency.add_metric([route], list(zip(bounds, counts, strict=True)), row[counters.SECONDS])
        sent.add_metric([route], row[counters.BYTES])
    yield from (answers, latency, sent, _refusals(rows))


def _shown(row: Cells) -> list[int]:
    seen = np.flatnonzero(row[: counters.STATUSES]) + counters.FIRST_STATUS
    return sorted({*ALWAYS_SHOWN, *seen.tolist()})


def _refusals(rows: Rows) -> Metric:
    refusals = CounterMetricFamily(
        "cvae_refusals", "Requests refused, by reason; probes do not count.", labels=["reason"]
    )
    counted = [row for route, row in rows.items() if route not in PROBES]
    for status, reason in REASONS.items():
        refusals.add_metric([reason], sum(row[status - counters.FIRST_STATUS] for row in counted))
    return refusals


def _drawing(total: Cells) -> Iterator[Metric]:
    yield CounterMetricFamily("cvae_digits_drawn", "Digits decoded.", total[counters.DIGITS])
    yield CounterMetricFamily(
        "cvae_log_lines_dropped",
        "Lines of the log that nobody read in time.",
        total[counters.LINES_DROPPED],
    )
    stages = CounterMetricFamily(
        "cvae_stage_seconds", "Time spent in each stage of drawing.", labels=["stage"]
    )
    for index, stage in enumerate(counters.STAGES):
        stages.add_metric([stage], total[counters.STAGE + index])
    yield stages


def _gauges(total: Cells) -> Iterator[Metric]:
    for cell, name, text in (
        (counters.IN_FLIGHT, "cvae_requests_in_flight", "Requests in progress, with this one."),
        (counters.QUEUE_DEPTH, "cvae_queue_depth", "Heavy drawings that wait for a thread."),
        (counters.QUEUE_LIMIT, "cvae_queue_limit", "Heavy drawings that may wait."),
    ):
        yield GaugeMetricFamily(name, text, total[cell])


def _identity(living: Readings) -> Iterator[Metric]:
    names = ("version", "model", "engine", "precision")
    build = GaugeMetricFamily(
        "cvae_build_info", "Version, model, engine and precision; always 1.", labels=names
    )
    for identity in {tuple(reading.facts.get(name, "") for name in names) for reading in living}:
        build.add_metric(identity, 1)
    yield build
    yield GaugeMetricFamily("cvae_workers", "Processes that serve.", len(living))


def _processes(living: Readings) -> Iterator[Metric]:
    """Memory, processor time and files of each worker, under the names that Prometheus gives."""
    families: dict[str, Metric] = {}
    for reading in living:
        pid = reading.facts["pid"]
        for found in ProcessCollector(pid=partial(str, pid), registry=None).collect():
            name, text, kind = found.name, found.documentation, found.type
            family = families.setdefault(name, Metric(name, text, kind))
            for sample in found.samples:
                family.add_sample(sample.name, {"worker": str(reading.worker)}, sample.value)
    yield from families.values()
