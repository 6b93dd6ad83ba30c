import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.dataset import main
from tests.conftest import ROOT


@pytest.mark.parametrize("name", ["a.npz", "a.ZIP", "a"])
def test_dataset_writes_the_bytes_of_the_service(
    client: TestClient, tmp_path: Path, name: str
) -> None:
    options = {"count": "150", "seed": "7", "length": "2", "variation": "0.3", "gap": "-4"}
    query = "&".join(f"{option}={value}" for option, value in options.items())
    kind = "zip" if name == "a.ZIP" else "npz"
    words = [f"--{option}={value}" for option, value in options.items()]
    assert main([str(tmp_path / name), *words]) == 0
    assert (tmp_path / name).read_bytes() == client.get(f"/dataset?{query}&format={kind}").content
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_dataset_without_a_seed_prints_the_one_it_took(
    client: TestClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.npz"
    assert main([str(path), "--count=5"]) == 0
    seed = capsys.readouterr().err.removeprefix("seed ").strip()
    assert path.read_bytes() == client.get(f"/dataset?count=5&seed={seed}").content


def test_dataset_replaces_a_file_only_by_force(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(b"mine")
    with pytest.raises(SystemExit, match="2"):
        main([str(path), "--count=5"])
    assert "exists; choose another name, or replace it with --force." in capsys.readouterr().err
    assert path.read_bytes() == b"mine"
    assert main([str(path), "--count=5", "--force"]) == 0
    assert path.read_bytes() != b"mine"


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (
            ["a.csv", "--count=5"],
            2,
            "format must be npz, zip or webdataset. See --help.",
        ),
        (["a.npz", "--count=0"], 2, "count must be an integer from 1 to 60000. See --help."),
        (
            ["/nowhere/a.npz", "--count=5"],
            1,
            "/nowhere/a.npz cannot be written: No such file or directory.",
        ),
    ],
)
def test_dataset_says_in_one_sentence_what_cannot_be_done(
    capsys: pytest.CaptureFixture[str], options: list[str], code: int, sentence: str
) -> None:
    assert main(options) == code
    assert capsys.readouterr().err == f"{sentence}\n"


def test_dataset_shows_its_progress_on_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main([str(tmp_path / "a.npz"), "--count=300", "--seed=7"]) == 0
    shown = capsys.readouterr().err
    assert shown.startswith(f"\r[{'#' * 17}{'.' * 23}] 128 of 300\r")
    assert shown.endswith(f"\r[{'#' * 40}] 300 of 300\n")


def test_dataset_interrupted_leaves_nothing_behind(tmp_path: Path) -> None:
    script = (
        "import signal, sys; from app.dataset import main; "
        "signal.signal(signal.SIGINT, signal.default_int_handler); "  # ignored in background jobs
        "sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "a.npz"), "--count=60000"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) as process:
        while not any(tmp_path.iterdir()):  # it has begun to write
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate()
    assert (process.returncode, error) == (130, b"\nInterrupted.\n")
    assert not any(tmp_path.iterdir())
