"""`make torture` in short. Times are printed, not judged, because the machine may be busy."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from harness.nginx import MissingProgramError
from torture import __main__ as command
from torture.__main__ import TRIALS, Trial
from torture.answer import find_fault
from torture.scale import TEST, Scale
from torture.verdict import Verdict

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


@pytest.mark.parametrize(("names", "tried"), [([], ["a", "b"]), (["b"], ["b"])])
def test_command_tries_what_is_named_or_else_everything(
    names: list[str], tried: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []

    def trial(name: str) -> Trial:
        def run(_: Scale) -> Iterator[Verdict]:
            found.append(name)
            yield Verdict(name, "1", "1", holds=True)

        return run

    monkeypatch.setattr(command, "TRIALS", {name: (trial(name),) for name in "ab"})
    assert command.main([*names, "--output", str(tmp_path / "torture.json")]) == 0
    assert found == tried
    with pytest.raises(SystemExit, match="2"):
        command.main(["c"])
