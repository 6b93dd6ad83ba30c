"""The compose file and the Kubernetes manifests, as their programs read them."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

COMPOSE = ROOT / "docker-compose.yml"
KUBERNETES = ROOT / "deploy" / "kubernetes"


def compose_file() -> dict[str, Any]:
    return dict(yaml.safe_load(COMPOSE.read_text()))


def program(name: str) -> str:
    """The path of a program beside this Python or on the PATH; skips the test if there is none."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not installed; `make container` brings it")
    return found


def rendered(folder: str) -> list[dict[str, Any]]:
    """The objects that kustomize makes of a folder below deploy/kubernetes."""
    done = subprocess.run(
        [program("kubectl"), "kustomize", str(KUBERNETES / folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def of_kind(objects: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """The only object of that kind."""
    (found,) = [each for each in objects if each["kind"] == kind]
    return found
