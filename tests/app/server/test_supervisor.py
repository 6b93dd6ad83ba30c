import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.server.supervisor import REST_S, Supervisor

LIMIT_S = 30
START_FAILURE = 3


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def sleeping(workers: int, limit_s: float = LIMIT_S) -> Supervisor:
    return Supervisor(time.sleep, (600,), workers, limit_s, START_FAILURE)


def pids(supervisor: Supervisor) -> list[int]:
    return [process.pid for process in supervisor._alive() if process.pid]


def wait_for(condition: Callable[[], Any]) -> None:
    limit = time.monotonic() + LIMIT_S
    while not condition() and time.monotonic() < limit:
        time.sleep(0.01)
    assert condition()


def play(supervisor: Supervisor, scene: Callable[[], None]) -> int:
    """Run it while `scene` happens on another thread, which ends with SIGTERM in any case."""
    failures: list[BaseException] = []

    def on_stage() -> None:
        try:
            wait_for(lambda: supervisor._places)
            scene()
        except BaseException as error:
            failures.append(error)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=on_stage)
    thread.start()
    code = supervisor.run()
    thread.join()
    assert failures == []
    return code


def test_killed_worker_is_replaced_and_the_other_stays() -> None:
    supervisor = sleeping(2)

    def scene() -> None:
        first, second = pids(supervisor)
        time.sleep(REST_S)
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: len(pids(supervisor)) == 2 and first not in pids(supervisor))
        assert second in pids(supervisor)

    assert play(supervisor, scene) == 0
    assert pids(supervisor) == []


def test_worker_that_dies_at_once_is_given_a_rest() -> None:
    supervisor = Supervisor(sys.exit, (1,), 1, LIMIT_S, START_FAILURE)
    starts: list[float] = []
    original = supervisor._start

    def start(failed: bool = False) -> Any:
        starts.append(time.monotonic())
        return original(failed)

    supervisor._start = start  # type: ignore[method-assign]
    play(supervisor, lambda: wait_for(lambda: len(starts) == 3))
    assert starts[2] - starts[0] >= 2 * REST_S


def test_workers_that_cannot_start_end_it() -> None:
    assert Supervisor(sys.exit, (3,), 2, LIMIT_S, START_FAILURE).run() == START_FAILURE


def test_second_signal_kills_workers_that_do_not_end() -> None:
    supervisor = Supervisor(deaf_target(), (f"{DEAF}",), 2, 600, START_FAILURE)

    def scene() -> None:
        wait_for(lambda: len(pids(supervisor)) == 2)
        time.sleep(1)  # for them to be deaf
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.5)
        assert len(pids(supervisor)) == 2

    assert play(supervisor, scene) == 1
    assert pids(supervisor) == []


DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"


def deaf_target() -> Callable[..., None]:
    """What a new process can find by name, as it cannot the functions of a test."""
    return exec
