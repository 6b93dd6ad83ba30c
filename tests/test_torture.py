"""`make torture` in short: every promise that a busy machine can judge too.

Times are printed, not judged: `make torture` does that.
"""

import sys

import pytest

from torture.__main__ import TRIALS, Trial
from torture.scale import TEST

ALL = [(name, trial) for name, trials in TRIALS.items() for trial in trials]


@pytest.mark.parametrize("trial", [pytest.param(t, id=f"{n}-{t.__name__}") for n, t in ALL])
def test_promise(trial: Trial, capsys: pytest.CaptureFixture[str]) -> None:
    verdicts = list(trial(TEST))
    with capsys.disabled():
        for verdict in verdicts:
            sys.stdout.write(f"\n  {verdict.promise}: {verdict.figure}")
    assert verdicts
    assert [verdict for verdict in verdicts if not verdict.holds and not verdict.timed] == []
