import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from app.settings import SettingError
from app.telemetry.counters import (
    BUCKET,
    BUCKETS_S,
    BYTES,
    DIGITS,
    FIRST_STATUS,
    HEAD_BYTES,
    IN_FLIGHT,
    QUEUE_DEPTH,
    QUEUE_LIMIT,
    ROWS,
    SECONDS,
    STAGE,
    Counters,
    Reading,
    open_counters,
    read_counters,
)

ROUTES = ("/generate", "/morph")
NO_FACTS = b'{"routes": []}'.ljust(HEAD_BYTES + 8 * ROWS)
Join = Callable[..., Counters]


@pytest.fixture
def join(tmp_path: Path) -> Iterator[Join]:
    """Opens counters in the folder that the workers of this test share."""
    with ExitStack() as stack:
        yield lambda routes=ROUTES: stack.enter_context(closing(open_counters(tmp_path, routes)))


def only_reading(counters: Counters) -> Reading:
    (reading,) = counters.readings()
    return reading


def serve(counters: Counters, requests: int) -> None:
    for _ in range(requests):
        counters.begin()
        counters.end(counters.routes.find("/generate")[0], 200, 0.0007, 100)


def served(reading: Reading) -> float:
    return float(reading.rows["/generate"][200 - FIRST_STATUS])


def test_end_counts_status_latency_seconds_and_bytes_of_its_route() -> None:
    counters = Counters(ROUTES)
    serve(counters, 2)
    counters.begin()
    counters.end(counters.routes.find("/morph")[0], 422, 0.3, 50)
    counters.begin()
    reading = only_reading(counters)
    generate, morph = reading.rows["/generate"], reading.rows["/morph"]
    assert generate[200 - FIRST_STATUS] == generate[BUCKET + BUCKETS_S.index(0.001)] == 2
    assert (generate[SECONDS], generate[BYTES]) == (pytest.approx(0.0014), 200)
    assert morph[422 - FIRST_STATUS] == morph[BUCKET + BUCKETS_S.index(0.5)] == 1
    assert sum(row[BUCKET:SECONDS].sum() for row in reading.rows.values()) == 3
    assert reading.cells[IN_FLIGHT] == 1


@pytest.mark.parametrize(
    ("seconds", "bucket"), [(0, 0), (0.0005, 0), (0.00051, 1), (10, 13), (10.1, 14), (1e9, 14)]
)
def test_end_bucket_includes_its_upper_end(seconds: float, bucket: int) -> None:
    counters = Counters()
    counters.end(0, 200, seconds, 0)
    assert only_reading(counters).rows["other"][BUCKET + bucket] == 1


def test_stages_of_drawings_add_up_and_those_that_took_time_are_traced() -> None:
    counters, traced = Counters(), list[tuple[int, float, float]]()
    counters.on_stage = lambda *stage: traced.append(stage)
    counters.add_drawing(4, (10, 11, 13, 16, 20))
    counters.add_drawing(5, (20, 20, 25, 25, 26))
    cells = only_reading(counters).cells
    assert [*cells[STAGE : STAGE + 4], cells[DIGITS]] == [1, 7, 3, 5, 9]
    assert traced[:4] == [(0, 10, 11), (1, 11, 13), (2, 13, 16), (3, 16, 20)]
    assert traced[4:] == [(1, 20, 25), (3, 25, 26)]


def test_threads_lose_no_count() -> None:
    counters, times = Counters(), 5000

    def draw() -> None:
        for _ in range(times):
            counters.add_drawing(1, (0, 0, 1, 1, 1))

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert only_reading(counters).cells[DIGITS] == 4 * times


def test_queue_is_the_last_that_was_given() -> None:
    counters = Counters()
    counters.queue(3, 16)
    counters.queue(2, 16)
    cells = only_reading(counters).cells
    assert (cells[QUEUE_DEPTH], cells[QUEUE_LIMIT]) == (2, 16)


def test_describe_adds_and_replaces() -> None:
    counters = Counters()
    counters.describe(model="long" * 20)
    counters.describe(model="short", engine="onnx")
    facts = {"pid": str(os.getpid()), "model": "short", "engine": "onnx"}
    assert only_reading(counters).facts == facts


def test_workers_of_a_folder_count_apart_and_see_all(tmp_path: Path, join: Join) -> None:
    first, second = join(), join()
    serve(first, 2)
    serve(second, 3)
    for readings in (first.readings(), second.readings(), read_counters(tmp_path)):
        assert [(reading.worker, reading.alive) for reading in readings] == [(0, True), (1, True)]
        assert [served(reading) for reading in readings] == [2, 3]


def serve_and_die(folder: Path) -> None:
    counters = open_counters(folder, ROUTES)
    serve(counters, 5)
    counters.begin()
    counters.queue(7, 16)
    os._exit(9)


def test_dead_worker_leaves_its_counts_to_the_next(tmp_path: Path, join: Join) -> None:
    living = join()
    process = multiprocessing.get_context("spawn").Process(target=serve_and_die, args=[tmp_path])
    process.start()
    process.join()
    assert process.exitcode == 9
    assert [reading.alive for reading in living.readings()] == [True, False]
    assert living.readings()[1].cells[IN_FLIGHT] == 1  # ignored: the worker is dead

    serve(join(), 1)
    _, successor = living.readings()
    assert served(successor) == 6
    assert (successor.cells[IN_FLIGHT], successor.cells[QUEUE_DEPTH]) == (0, 0)


def test_file_of_another_version_is_ignored_and_replaced(tmp_path: Path, join: Join) -> None:
    file = tmp_path / "0.counters"
    for content in (b"", b"something else", b"\0" * 9000):
        file.write_bytes(content)
        assert read_counters(tmp_path) == []
    other = open_counters(tmp_path, ["/generate", "/of-another-version"])
    serve(other, 1)
    other.close()
    serve(join(), 1)
    (reading,) = read_counters(tmp_path)
    assert set(reading.rows) == {"other", *ROUTES}
    assert served(reading) == 1


def test_folder_that_does_not_exist_is_a_setting_error(tmp_path: Path) -> None:
    sentence = f"^The metrics folder {tmp_path / 'none'} cannot be used: No such file or directory;"
    with pytest.raises(SettingError, match=sentence):
        open_counters(tmp_path / "none", ROUTES)


def test_file_has_all_its_room_on_the_disk(tmp_path: Path) -> None:
    """A page without room would end the process by a signal when it is first written."""
    with closing(open_counters(tmp_path, ROUTES)):
        (file,) = tmp_path.iterdir()
        assert file.stat().st_blocks * 512 >= file.stat().st_size > 0


@pytest.mark.parametrize("content", [b"1", b"{}", b'{"routes": 1}', NO_FACTS, b"[" * 2000, b"\xff"])
def test_file_of_somebody_else_is_not_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "0.counters").write_bytes(content)
    assert read_counters(tmp_path) == []
    with closing(open_counters(tmp_path, ROUTES)):
        assert len(read_counters(tmp_path)) == 1
