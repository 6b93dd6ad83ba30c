"""The wheel, installed by itself: `cvae-digits` in a folder that has an app.py of its own."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app import __version__
from harness.launcher import LIMIT_S, Command, running
from tests.conftest import ROOT

PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
THEIRS = "raise SystemExit('the app.py of the user was imported')\n"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = ("wheel", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir")
    subprocess.run([*PIP, *build, str(folder), str(ROOT)], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what the wheel puts into site-packages, and its script in bin."""
    folder = tmp_path_factory.mktemp("installed")
    options = ("install", "--no-deps", "--no-index", "--target", str(folder))
    subprocess.run([*PIP, *options, str(wheel)], check=True)
    return folder


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A user's own folder, with modules that have our names and must not be imported."""
    for name in ("app.py", "model.py", "training.py"):
        (tmp_path / name).write_text(THEIRS)
    return tmp_path


@pytest.fixture(params=["script", "module"])
def command(request: pytest.FixtureRequest, installed: Path) -> list[str]:
    """`cvae-digits`, or `python -m cvae_digits`, which searches the working directory first."""
    if request.param == "script":
        return [str(installed / "bin" / "cvae-digits")]
    return [sys.executable, "-m", "cvae_digits"]


def run(command: list[str], folder: Path, installed: Path) -> subprocess.CompletedProcess[str]:
    """The command, ended, in `folder`."""
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": search_path(folder, installed)},
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )


def search_path(folder: Path, installed: Path) -> str:
    """PYTHONPATH with which both the user's modules and the wheel can be imported."""
    return f"{folder}{os.pathsep}{installed}"


def test_wheel_puts_one_name_into_site_packages(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
        names = set(archive.namelist())
    assert tops == {"cvae_digits", f"cvae_digits-{__version__}.dist-info"}
    assert not [name for name in names if "__pycache__" in name]
    for folder in ("app", "model", "training"):
        files = (ROOT / folder).rglob("*")
        expected = {str(path.relative_to(ROOT)) for path in files if path.is_file()}
        expected = {name for name in expected if "__pycache__" not in name}
        expected -= {"training/EXPERIMENTS.md"}
        assert {f"cvae_digits/bundled/{name}" for name in expected} <= names


def test_help_and_version(command: list[str], theirs: Path, installed: Path) -> None:
    assert "\n  draw " in run([*command, "--help"], theirs, installed).stdout
    assert run([*command, "--version"], theirs, installed).stdout.split()[1] == __version__
    for name in ("serve", "draw", "dataset"):
        done = run([*command, name, "--help"], theirs, installed)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("usage:")


def test_draw_writes_the_bytes_of_the_service(
    command: list[str], theirs: Path, installed: Path, client: TestClient
) -> None:
    done = run([*command, "draw", "2018", "--seed", "7", "-o", "2018.png"], theirs, installed)
    assert done.returncode == 0, done.stderr
    drawn = (theirs / "2018.png").read_bytes()
    assert drawn == client.get("/generate?digits=2018&seed=7").content


def test_dataset_writes_the_bytes_of_the_service(
    command: list[str], theirs: Path, installed: Path, client: TestClient
) -> None:
    options = ["digits.zip", "--count", "20", "--seed", "7"]
    done = run([*command, "dataset", *options], theirs, installed)
    assert done.returncode == 0, done.stderr
    content = client.get("/dataset?count=20&seed=7&format=zip").content
    assert (theirs / "digits.zip").read_bytes() == content


def test_dataset_in_a_folder_is_drawn_by_two_processes(
    command: list[str], theirs: Path, installed: Path
) -> None:
    options = ["data", "--format", "webdataset", "--count", "60", "--shard-size", "20"]
    done = run([*command, "dataset", *options, "--workers", "2"], theirs, installed)
    assert done.returncode == 0, done.stderr
    assert len(list((theirs / "data").glob("*.tar"))) == 3
    assert (theirs / "data" / "manifest.json").is_file()


def test_numbers_are_drawn_in_a_program_of_the_user(theirs: Path, installed: Path) -> None:
    program = (
        "from cvae_digits import numbers; "
        "print(*[text for image, text in numbers(3, seed=7, length=4)])"
    )
    done = run([sys.executable, "-c", program], theirs, installed)
    assert done.returncode == 0, done.stderr
    assert [len(text) for text in done.stdout.split()] == [4, 4, 4]


def test_serve_with_two_workers_answers(
    command: list[str], theirs: Path, installed: Path, client: TestClient
) -> None:
    serve = Command((*command, "serve", "--port", "{port}"), folder=theirs)
    path = search_path(theirs, installed)
    with running(command=serve, workers=2, PYTHONPATH=path) as service:
        picture = service.get("/generate?digits=2018&seed=7")
        assert picture == client.get("/generate?digits=2018&seed=7").content
        assert json.loads(service.get("/openapi.json"))["info"]["version"] == __version__
        assert b"<html" in service.get("/")
    assert service.process.returncode == 0
