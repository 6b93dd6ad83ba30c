"""What watches the service cannot stop it: the reader of its log, its metrics, their folder."""

import http.client
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from pathlib import Path

from app.telemetry.prometheus import KEPT_S
from harness.core import LOAD_CORE, SERVICE_CORE, on_core
from harness.launcher import APP, Service, ask, free_port, run_to_end, running
from harness.nginx import MissingProgramError
from torture.crowd import crowd
from torture.load import percentile
from torture.overload import send
from torture.scale import Scale
from torture.verdict import Verdict

LIGHT = "/generate?digits=1"
RATE = 200  # requests a second of the others
P99_MS = 20  # as long as one computation of the metrics, which is once a second
SCRAPERS = 4
END_S = 10
FULL_BYTES = 16_384


def try_stuck_log(scale: Scale) -> Iterator[Verdict]:
    """Nobody reads standard output and standard error, or they are closed at the start."""
    with ExitStack() as stack:
        reader, writer = os.pipe()
        stack.callback(os.close, reader)
        stack.callback(os.close, writer)
        for name, redirection in (
            ("nobody reads the log", ""),
            ("stdout and stderr are closed", ">&- 2>&-"),
        ):
            answered, dropped, code, seconds = _unread(redirection, writer, scale.fuzz * 10)
            yield Verdict(
                f"{name}: all answered, SIGTERM ends it",
                f"{answered} of {scale.fuzz * 10} answered, {dropped:.0f} lines dropped and "
                f"counted, exit {code} after {seconds:.1f} s",
                f"all, exit 0 within {END_S} s",
                answered == scale.fuzz * 10 and code == 0 and seconds <= END_S,
            )


def _unread(redirection: str, writer: int, requests: int) -> tuple[int, float, int, float]:
    """Answered requests, dropped lines, exit code and seconds until the end."""
    line = f'exec "$@" {redirection}'
    command = replace(APP, arguments=("sh", "-c", line, "sh", *APP.arguments))
    with running(command=command, output=writer) as service:
        answered = _answered(service.port, requests)
        dropped = _dropped(service) if answered == requests else 0
        begun = time.monotonic()
        service.signal(signal.SIGTERM)
        try:
            code = service.process.wait(END_S)
        except subprocess.TimeoutExpired:
            code = -1
            service.process.kill()
    return answered, dropped, code, time.monotonic() - begun


def _dropped(service: Service) -> float:
    time.sleep(KEPT_S)
    text = service.get("/metrics").decode()
    found = re.search(r"^cvae_log_lines_dropped_total (\S+)", text, re.MULTILINE)
    return float(found[1]) if found else 0


def _answered(port: int, requests: int) -> int:
    """How many of these cheap requests on one connection are answered before one is not."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=END_S)
    with closing(connection):
        for number in range(requests):
            connection.request("GET", "/nowhere")
            try:
                connection.getresponse().read()
            except TimeoutError:
                return number
    return requests


def try_scrapes(scale: Scale) -> Iterator[Verdict]:
    """Clients that ask for the metrics again and again, beside ordinary ones."""
    with on_core(SERVICE_CORE), running() as service:
        alone = percentile(send(service, RATE, scale.load_s).answered_ms, 99)
        with on_core(LOAD_CORE), crowd(SCRAPERS, partial(ask, service.port, "/metrics")):
            outcome = send(service, RATE, scale.load_s)
    beside = percentile(outcome.answered_ms, 99)
    yield Verdict(
        f"{SCRAPERS} clients ask for the metrics without a pause: p99 of the others",
        f"{beside:.1f} ms, alone {alone:.1f} ms; {outcome.strange} lost",
        f"<= {P99_MS} ms; 0 lost",
        beside <= P99_MS and not outcome.strange,
        timed=True,
    )


def try_metrics_port(scale: Scale) -> Iterator[Verdict]:
    """Connections to the port of the metrics that send nothing, or half a head."""
    port = free_port()
    with running("--metrics-port", str(port)) as service, ExitStack() as stack:
        before = service.holding()
        for number in range(scale.slow):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            client.sendall(b"GET / HTTP/1.1\r\nX: " if number % 2 else b"")
        begun = time.monotonic()
        status = ask(port, "/metrics").status
        seconds = time.monotonic() - begun
        after = service.holding()
    threads, descriptors = after.threads - before.threads, after.descriptors - before.descriptors
    yield Verdict(
        f"{scale.slow} silent connections to the port of the metrics",
        f"{threads:+d} threads, {descriptors:+d} descriptors, status {status} in {seconds:.2f} s",
        "0 more threads, at most 70 descriptors, 200",
        threads <= 0 and descriptors <= 70 and status == HTTPStatus.OK,
    )


def try_metrics_folder(_: Scale) -> Iterator[Verdict]:
    """A metrics folder that is full, missing, or of a path that no system call takes."""
    with tempfile.TemporaryDirectory() as place:
        none = Path(place) / "none"
        for workers in (1, 2):
            for name, folder in (("missing", str(none)), ("5,000 characters", "a" * 5000)):
                yield _start(f"metrics folder {name}, {workers} workers", workers, folder)
            with _full(Path(place)) as full:
                yield _start(f"metrics folder full, {workers} workers", workers, str(full))


def _start(name: str, workers: int, folder: str) -> Verdict:
    begun = time.monotonic()
    done = run_to_end("--workers", str(workers), CVAE_METRICS_FOLDER=folder)
    sentences = [line for line in done.stderr.splitlines() if "The metrics folder" in line]
    well = done.returncode > 0 and sentences and "Traceback" not in done.stderr
    return Verdict(
        name,
        f"exit {done.returncode} after {time.monotonic() - begun:.1f} s, {len(sentences)} "
        "sentences",
        "exit not 0, a sentence of each worker, no traceback",
        bool(well) and len(sentences) <= workers,
    )


@contextmanager
def _full(place: Path) -> Iterator[Path]:
    """A file system in memory with no room for the counters of a worker."""
    folder = place / "full"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={FULL_BYTES}", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        raise MissingProgramError("A full disk needs the right to mount a file system.")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
        folder.rmdir()


def try_killed_supervisor(_: Scale) -> Iterator[Verdict]:
    """SIGKILL to the supervisor: its workers end, and nothing stays in shared memory."""
    with running(workers=2) as service:
        workers = service.workers()
        maps = Path(f"/proc/{workers[0]}/maps").read_text()
        folders = {Path(name).parent for name in re.findall(r"/\S+\.counters", maps)}
        service.process.kill()
        service.process.wait()
        begun = time.monotonic()
        while any(map(_runs, workers)) and time.monotonic() < begun + END_S:
            time.sleep(0.05)
        left = [str(pid) for pid in workers if _runs(pid)]
        left += [str(folder) for folder in folders if folder.exists()]
    yield Verdict(
        "the supervisor is killed: nothing is left",
        f"{len(left)} workers and folders left after {time.monotonic() - begun:.1f} s",
        "0",
        bool(folders) and not left,
    )


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
