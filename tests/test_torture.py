"""`make torture` in short: every promise that a busy machine can judge too.

Times are printed, not judged: `make torture` does that.
"""

import os
import sys

import pytest
from starlette.testclient import TestClient

from torture.__main__ import TRIALS, Trial
from torture.answer import fault
from torture.scale import TEST
from torture.service import on_core

ALL = [(name, trial) for name, trials in TRIALS.items() for trial in trials]


@pytest.mark.parametrize("trial", [pytest.param(t, id=f"{n}-{t.__name__}") for n, t in ALL])
def test_promise(trial: Trial, capsys: pytest.CaptureFixture[str]) -> None:
    verdicts = list(trial(TEST))
    with capsys.disabled():
        for verdict in verdicts:
            sys.stdout.write(f"\n  {verdict.promise}: {verdict.figure}")
    assert verdicts
    assert [verdict for verdict in verdicts if not verdict.holds and not verdict.timed] == []


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="no choice of cores here")
def test_load_and_service_are_on_cores_of_their_own() -> None:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        pytest.skip("there is one core")
    with on_core(1):
        assert os.sched_getaffinity(0) == {cores[1]}
        with on_core(0):
            assert os.sched_getaffinity(0) == {cores[0]}
        assert os.sched_getaffinity(0) == {cores[1]}
    assert os.sched_getaffinity(0) == set(cores)


@pytest.mark.parametrize("form", ["png", "webp", "svg", "npy", "json"])
def test_fault_finds_an_answer_of_another_size(client: TestClient, form: str) -> None:
    asked = f"/generate?digits=348&rows=3&scale=2&format={form}"
    answer = client.get(asked)
    found = answer.status_code, answer.headers["content-type"].split(";")[0], answer.content
    assert fault(asked, *found) is None
    for other in ("rows=2", "scale=1", "digits=34"):
        name = other.partition("=")[0]
        wrong = "&".join(
            other if part.startswith(f"{name}=") else part
            for part in asked.removeprefix("/generate?").split("&")
        )
        assert fault(f"/generate?{wrong}", *found), other
