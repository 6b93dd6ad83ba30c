"""`make torture` in short. Times are printed, not judged, because the machine may be busy."""

import sys

import pytest
from starlette.testclient import TestClient

from harness.nginx import MissingProgramError
from torture.__main__ import TRIALS, Trial
from torture.answer import find_fault
from torture.scale import TEST

ALL = [(name, trial) for name, trials in TRIALS.items() for trial in trials]


@pytest.mark.parametrize("trial", [pytest.param(t, id=f"{n}-{t.__name__}") for n, t in ALL])
def test_promise(trial: Trial, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        verdicts = list(trial(TEST))
    except MissingProgramError as missing:
        pytest.skip(str(missing))
    with capsys.disabled():
        for verdict in verdicts:
            sys.stdout.write(f"\n  {verdict.promise}: {verdict.figure}")
    assert verdicts
    assert [verdict for verdict in verdicts if not verdict.holds and not verdict.timed] == []


@pytest.mark.parametrize("form", ["png", "webp", "svg", "npy", "json"])
def test_answer_of_another_size_has_a_fault(client: TestClient, form: str) -> None:
    asked = f"/generate?digits=348&rows=3&scale=2&format={form}"
    answer = client.get(asked)
    found = answer.status_code, answer.headers["content-type"].split(";")[0], answer.content
    assert find_fault(asked, *found) is None
    for right, wrong in (("rows=3", "rows=2"), ("scale=2", "scale=1"), ("digits=348", "digits=34")):
        assert find_fault(asked.replace(right, wrong), *found), wrong
