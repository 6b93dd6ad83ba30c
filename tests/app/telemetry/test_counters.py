import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from time import perf_counter

import pytest
from fastapi.routing import iter_route_contexts

from app.telemetry.counters import (
    BUCKET,
    BUCKETS_S,
    BYTES,
    COMPOSE,
    DECODE,
    DIGITS,
    ENCODE,
    FIRST_STATUS,
    IN_FLIGHT,
    NOISE,
    OTHER,
    QUEUE_DEPTH,
    QUEUE_LIMIT,
    ROUTES,
    SECONDS,
    STAGE,
    Ledger,
    Page,
    open_ledger,
    read_ledgers,
    route_of,
)
from app.main import create_app
from app.settings import Settings


@pytest.fixture
def join(tmp_path: Path) -> Iterator[Callable[[], Ledger]]:
    """Opens a ledger in the folder that the workers of this test share."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(open_ledger(tmp_path)))


def only_page(ledger: Ledger) -> Page:
    (page,) = ledger.pages()
    return page


def served(ledger: Ledger, requests: int, route: str = "/generate") -> None:
    for _ in range(requests):
        ledger.begin()
        ledger.end(route, 200, 0.0007, 100)


def test_end_counts_status_latency_seconds_and_bytes_of_its_route() -> None:
    ledger = Ledger()
    served(ledger, 2)
    ledger.begin()
    ledger.end("/morph", 422, 0.3, 50)
    ledger.begin()
    page = only_page(ledger)
    generate, morph = (page.rows()[ROUTES.index(route)] for route in ("/generate", "/morph"))
    assert generate[200 - FIRST_STATUS] == 2
    assert generate[BUCKET + BUCKETS_S.index(0.001)] == 2
    assert (generate[SECONDS], generate[BYTES]) == (pytest.approx(0.0014), 200)
    assert morph[422 - FIRST_STATUS] == 1
    assert morph[BUCKET + BUCKETS_S.index(0.5)] == 1
    assert page.rows()[:, BUCKET:SECONDS].sum() == 3
    assert page.cells[IN_FLIGHT] == 1


@pytest.mark.parametrize(
    ("seconds", "bucket"), [(0, 0), (0.0005, 0), (0.00051, 1), (10, 13), (10.1, 14), (1e9, 14)]
)
def test_end_bucket_holds_its_upper_end(seconds: float, bucket: int) -> None:
    ledger = Ledger()
    ledger.end("/", 200, seconds, 0)
    assert only_page(ledger).rows()[ROUTES.index("/"), BUCKET + bucket] == 1


def test_refuse_counts_requests_that_took_no_time() -> None:
    ledger = Ledger()
    served(ledger, 2)
    ledger.refuse("/generate", 7)
    page = only_page(ledger)
    generate = page.rows()[ROUTES.index("/generate")]
    assert generate[503 - FIRST_STATUS] == generate[BUCKET] == 7
    assert generate[BUCKET:SECONDS].sum() == 9
    assert (generate[SECONDS], generate[BYTES]) == (pytest.approx(0.0014), 200)
    assert page.cells[IN_FLIGHT] == 0


def test_stages_add_up() -> None:
    ledger, seen = Ledger(), list[tuple[int, float, float]]()
    ledger.on_stage = lambda *stage: seen.append(stage)
    now = perf_counter()
    ledger.line(4, now - 10, now - 9, now - 7, now - 4)
    assert ledger.lap(DECODE, now - 20, digits=5) >= now
    with ledger.stage(ENCODE):
        pass
    cells = only_page(ledger).cells
    assert cells[STAGE + NOISE] == pytest.approx(1)
    assert cells[STAGE + DECODE] == pytest.approx(22, rel=0.2)
    assert cells[STAGE + COMPOSE] == pytest.approx(3)
    assert cells[STAGE + ENCODE] >= 4
    assert cells[DIGITS] == 9
    assert [stage for stage, _, _ in seen] == [NOISE, DECODE, COMPOSE, ENCODE, DECODE, ENCODE]
    assert seen[1][1:] == (now - 9, now - 7)


def test_threads_lose_no_count() -> None:
    ledger, times = Ledger(), 5000

    def draw() -> None:
        for _ in range(times):
            ledger.lap(DECODE, 0.0, digits=1)

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert only_page(ledger).cells[DIGITS] == 4 * times


def test_queue_is_what_was_said_last() -> None:
    ledger = Ledger()
    ledger.queue(3, 16)
    ledger.queue(2, 16)
    cells = only_page(ledger).cells
    assert (cells[QUEUE_DEPTH], cells[QUEUE_LIMIT]) == (2, 16)


def test_describe_adds_and_replaces() -> None:
    ledger = Ledger()
    ledger.describe(model="long" * 20)
    ledger.describe(model="short", engine="onnx")
    facts = {"pid": str(os.getpid()), "model": "short", "engine": "onnx"}
    assert only_page(ledger).facts == facts


def test_workers_of_a_folder_have_a_page_each_and_see_all(
    tmp_path: Path, join: Callable[[], Ledger]
) -> None:
    first, second = join(), join()
    served(first, 2)
    served(second, 3)
    for pages in (first.pages(), second.pages(), read_ledgers(tmp_path)):
        assert [(page.worker, page.alive) for page in pages] == [(0, True), (1, True)]
        rows = [page.rows()[ROUTES.index("/generate")] for page in pages]
        assert [row[200 - FIRST_STATUS] for row in rows] == [2, 3]


def serve_and_die(folder: Path) -> None:
    ledger = open_ledger(folder)
    served(ledger, 5)
    ledger.begin()
    ledger.queue(7, 16)
    os._exit(9)


def test_dead_worker_keeps_its_counts_and_the_next_goes_on_in_them(
    tmp_path: Path, join: Callable[[], Ledger]
) -> None:
    living = join()
    process = multiprocessing.get_context("spawn").Process(target=serve_and_die, args=[tmp_path])
    process.start()
    process.join()
    assert process.exitcode == 9
    assert [page.alive for page in living.pages()] == [True, False]
    assert living.pages()[1].cells[IN_FLIGHT] == 1  # as it was; gauges of the dead do not count

    served(join(), 1)
    dead = living.pages()[1]
    assert len(living.pages()) == 2
    assert dead.rows()[ROUTES.index("/generate"), 200 - FIRST_STATUS] == 6
    assert (dead.cells[IN_FLIGHT], dead.cells[QUEUE_DEPTH]) == (0, 0)


def test_file_of_another_version_is_begun_anew(tmp_path: Path, join: Callable[[], Ledger]) -> None:
    (tmp_path / "0.ledger").write_bytes(b"something else")
    assert read_ledgers(tmp_path) == []
    served(join(), 1)
    (page,) = read_ledgers(tmp_path)
    assert page.rows().sum() == pytest.approx(1 + 1 + 0.0007 + 100)


def test_folder_that_is_not_there_raises(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_ledger(tmp_path / "none")


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/generate", "/generate"),
        ("/docs-assets/swagger-ui.css", "/docs-assets"),
        ("/", "/"),
        ("", "/"),
        ("//", "/"),
        ("/generate/", "/generate"),
        ("/generate/x/y", "/generate"),
        ("/generateX", OTHER),
        ("/Generate", OTHER),
        ("/wp-admin/setup.php", OTHER),
        (OTHER, OTHER),
    ],
)
def test_route_of(path: str, route: str) -> None:
    assert route_of(path) == route


def test_every_address_of_the_service_has_a_name_of_its_own() -> None:
    paths = {str(route.path) for route in iter_route_contexts(create_app(Settings()).routes)}
    assert {"/", "/generate", "/docs-assets", "/metrics"} <= paths
    missing = {path for path in paths if route_of(path) == OTHER}
    assert not missing, "add them to ROUTES in app/ledger.py"
