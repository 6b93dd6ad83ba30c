import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from ctypes import c_ulonglong
from functools import partial
from pathlib import Path

import pytest

from app.server.start import HANGUPS
from app.server.supervisor import END_MARGIN_S, RESTART_S, Supervisor
from harness.launcher import wait_until

LIMIT_S = 30
START_FAILURE = 3


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def begin(folder: Path) -> None:
    (folder / f"{os.getpid()}.begun").touch()


def sleeping(folder: Path, beats: c_ulonglong) -> None:
    begin(folder)
    time.sleep(600 + beats.value)


def beating(folder: Path, beats: c_ulonglong) -> None:
    while True:
        beats.value += 1
        begin(folder)
        time.sleep(0.01)


def deaf(folder: Path, beats: c_ulonglong) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    beating(folder, beats)


def noting_hangup(folder: Path, beats: c_ulonglong) -> None:
    signal.signal(signal.SIGHUP, lambda *_: (folder / f"{os.getpid()}.hangup").touch())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HANGUPS)  # from now on it could reload
    beating(folder, beats)


def failing(code: int, beats: c_ulonglong) -> None:
    sys.exit(code + beats.value)


def crashing(code: int, beats: c_ulonglong) -> None:
    if code < 0:
        os.kill(os.getpid(), -code)
    sys.exit(code + beats.value)


def pids() -> set[int]:
    return {process.pid for process in multiprocessing.active_children() if process.pid}


Play = Callable[..., int]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Runs two workers until a scene, which happens on another thread, is over."""

    def play(
        target: Callable[..., None],
        scene: Callable[[], None],
        limit_s: float = LIMIT_S,
        hung_s: float = LIMIT_S,
    ) -> int:
        failures: list[BaseException] = []

        def on_stage() -> None:
            try:
                begun = partial(tmp_path.glob, "*.begun")
                wait_until(lambda: len(list(begun())) == 2, "two workers have begun", LIMIT_S)
                scene()
            except BaseException as error:
                failures.append(error)
            finally:
                os.kill(os.getpid(), signal.SIGTERM)

        thread = threading.Thread(target=on_stage)
        thread.start()
        code = Supervisor(partial(target, tmp_path), 2, limit_s, START_FAILURE, hung_s).run()
        thread.join()
        assert failures == []
        assert pids() == set()
        return code

    return play


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hung"])
def test_worker_that_dies_or_hangs_is_replaced_and_the_other_stays(
    end: signal.Signals, play: Play
) -> None:
    def scene() -> None:
        first, second = before = pids()
        os.kill(first, end)
        wait_until(lambda: len(pids() - before) == 1, "another worker has started", LIMIT_S)
        wait_until(lambda: pids() & before == {second}, "the first is gone", LIMIT_S)

    assert play(beating, scene, hung_s=1) == 0


def test_worker_that_has_not_started_is_not_hung(play: Play) -> None:
    def scene() -> None:
        before = pids()
        time.sleep(1)
        assert pids() == before

    assert play(sleeping, scene, hung_s=0.2) == 0


def test_worker_that_dies_at_once_is_not_restarted_at_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    timer = threading.Timer(2.5 * RESTART_S, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()
    Supervisor(partial(failing, 1), 1, LIMIT_S, START_FAILURE).run()
    timer.join()
    assert 1 <= len(caplog.records) <= 2
    assert "ended with 1; starting another" in caplog.text
    assert "PYTHONSAFEPATH" not in os.environ  # it was set for the start of workers alone


@pytest.mark.parametrize("code", [1, -signal.SIGBUS])
def test_workers_that_crash_before_they_serve_are_not_restarted_for_ever(
    code: int, caplog: pytest.LogCaptureFixture
) -> None:
    supervisor = Supervisor(partial(crashing, code), 2, LIMIT_S, START_FAILURE)
    assert supervisor.run() == START_FAILURE
    assert caplog.records[-1].message == "No worker can start; the service ends."
    assert f"ended with {code}; starting another" in caplog.text


def test_workers_that_cannot_start_end_it() -> None:
    run = Supervisor(partial(failing, START_FAILURE), 2, LIMIT_S, START_FAILURE).run
    assert run() == START_FAILURE


def test_hangup_is_passed_on_and_ends_no_worker(play: Play, tmp_path: Path) -> None:
    def scene() -> None:
        before = pids()
        os.kill(os.getpid(), signal.SIGHUP)
        told = {tmp_path / f"{pid}.hangup" for pid in before}
        wait_until(lambda: told <= set(tmp_path.iterdir()), "both know of it", LIMIT_S)
        assert pids() == before

    assert play(noting_hangup, scene) == 0


def test_second_signal_kills_workers_that_do_not_end(play: Play) -> None:
    def scene() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.5)
        assert len(pids()) == 2

    assert play(deaf, scene, limit_s=600) == 1


def test_workers_that_exceed_the_limit_are_killed(play: Play) -> None:
    assert play(deaf, lambda: None, limit_s=-END_MARGIN_S) == 1
