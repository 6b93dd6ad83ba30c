"""How commands end that their user ends."""

import subprocess
import sys
from collections.abc import Sequence

import pytest

from cvae_digits.__main__ import main
from tests.conftest import ROOT
from training.command import command

PRINTING = """
import sys
from training.command import command
sys.exit(command(lambda _: print("line\\n" * 1_000_000) or 0)([]))
"""


def test_interrupted_command_ends_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    @command
    def interrupted(_: Sequence[str]) -> int:
        raise KeyboardInterrupt

    assert interrupted([]) == 130
    assert capsys.readouterr().err == "\nInterrupted.\n"


def test_command_whose_output_is_closed_ends_in_silence() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PRINTING],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        assert program.stdout.readline() == "line\n"
        program.stdout.close()
        assert program.stderr.read() == ""
    assert program.returncode == 1


@pytest.mark.parametrize("name", ["look", "train"])
def test_command_interrupted_while_packages_are_read_ends_without_a_traceback(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: str) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr("cvae_digits.__main__.import_module", interrupted)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert main([name, "7"]) == 130
    assert capsys.readouterr().err == "\nInterrupted.\n"
