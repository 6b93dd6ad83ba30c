"""The README keeps its word: every file, setting and command that it should name, it names."""

import io
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from app.request.query import Query
from app.request.schemas import DatasetQuery, GenerateQuery, LatentMapQuery, MorphQuery
from app.settings import Settings
from docs.pictures import curl_lines, run
from tests.conftest import ROOT
from training.config import TrainingConfig

README = (ROOT / "README.md").read_text()


def test_readme_tree_names_every_file() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "app", "model", "training", "benchmarks", "torture"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    named = [Path(name).name for name in tracked if not name.endswith("__init__.py")]
    missing = [name for name in named if name not in README]
    assert not missing


def test_readme_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)|src=\"([^\":]+)\"", README):
        path = target[0] or target[1]
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("name", Settings.model_fields)
def test_readme_names_every_setting(name: str) -> None:
    assert f"`CVAE_{name.upper()}`" in README


@pytest.mark.parametrize("name", TrainingConfig.model_fields)
def test_readme_names_every_training_option(name: str) -> None:
    assert f"--{name.replace('_', '-')}" in README.replace("--no-", "--")


def test_readme_names_every_command_of_the_makefile() -> None:
    commands = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert len(commands) > 8
    for command in commands:
        assert f"make {command}" in README, command


def test_readme_first_screen_has_the_two_commands() -> None:
    first_screen = "\n".join(README.splitlines()[:40])
    assert "make serve" in first_screen
    assert "make test" in first_screen


@pytest.fixture(scope="module")
def address(serve: Callable[..., AbstractContextManager[str]]) -> Iterator[str]:
    with serve() as address:
        yield address


@pytest.mark.parametrize("command", curl_lines(README), ids=" ".join)
def test_readme_curl_line_works_as_pasted(command: list[str], address: str, tmp_path: Path) -> None:
    run(command, address, tmp_path)
    if "-o" in command and (name := command[command.index("-o") + 1]) != "/dev/null":
        assert (tmp_path / name).stat().st_size > 100


def test_readme_shows_every_endpoint(client: TestClient) -> None:
    for path in client.get("/openapi.json").json()["paths"]:
        assert f"{path}`" in README


@pytest.mark.parametrize("query", [GenerateQuery, MorphQuery, LatentMapQuery, DatasetQuery])
def test_readme_names_every_parameter(query: type[Query]) -> None:
    for name in query.names():
        assert f"`{name}`" in README


def test_readme_picture_is_what_the_model_draws(client: TestClient) -> None:
    """When it is not: serve, then run the second `curl` line of the README into docs/2018.png."""
    kept = np.asarray(Image.open(ROOT / "docs" / "2018.png")).astype(int)
    (seed,) = re.findall(r"digits=2018&seed=(\d+)' +# the picture above", README)
    answer = client.get(f"/generate?digits=2018&seed={seed}")
    assert abs(kept - np.asarray(Image.open(io.BytesIO(answer.content)))).max() <= 1
