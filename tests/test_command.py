"""`cvae-digits`, run from the checkout as `python -m cvae_digits`."""

import subprocess
import sys
from pathlib import Path

import pytest

from app import __version__
from cvae_digits.__main__ import COMMANDS, main
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def _same_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command adds to sys.path; no other test may see that."""
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.mark.parametrize("arguments", [[], ["-h"], ["--help"]])
def test_help_lists_all_commands(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    for command in COMMANDS:
        assert f"\n  {command} " in printed


def test_version_is_the_one_of_the_service(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"cvae-digits {__version__}\n"


def test_image_is_labelled_with_the_same_version() -> None:
    assert f"ARG VERSION={__version__}\n" in (ROOT / "Dockerfile").read_text()


def test_unknown_command_is_refused_with_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["darw", "7"]) == 2
    assert capsys.readouterr().err == (
        "cvae-digits has no command 'darw'; the commands are serve, draw, dataset, look, "
        "train, evaluate.\n"
    )


@pytest.mark.parametrize("command", ["look", "train", "evaluate"])
def test_command_without_its_packages_names_the_extra(command: str, tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['torch'] = None\n"
        "from cvae_digits.__main__ import main\n"
        f"sys.exit(main({[command] if command == 'train' else [command, str(tmp_path)]}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == (
        f"cvae-digits {command} needs the package torch, which is not installed; install the "
        "extra `train`, for example with `pipx install '.[train]'` in a clone.\n"
    )


def test_missing_package_of_the_service_is_an_error_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "app.draw", None)
    with pytest.raises(ModuleNotFoundError):
        main(["draw", "7"])


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cvae_digits", command, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage:")
    assert "<lambda>" not in done.stdout
