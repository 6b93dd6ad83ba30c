"""The lock files: everything pinned with hashes, and the commands that report on them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PINNED = re.compile(r"^([a-z0-9][\w.-]*)==(\S+)", re.MULTILINE)
BIN = Path(sys.executable).parent


def pins(lock: Path) -> set[tuple[str, str]]:
    """The name and version of every package of a lock file."""
    return set(PINNED.findall(lock.read_text()))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_locked_package_has_hashes(lock: Path) -> None:
    entries = re.split(r"\n(?=[a-z0-9])", lock.read_text().strip())
    assert len(entries) > 20
    for entry in entries:
        assert PINNED.match(entry), entry
        assert "--hash=sha256:" in entry, entry


@pytest.mark.parametrize("name", ["serving.txt", "training.txt"])
def test_smaller_locks_agree_with_the_one_of_development(name: str) -> None:
    assert pins(ROOT / "requirements" / name) <= pins(ROOT / "requirements" / "development.txt")


def test_serving_lock_has_nothing_of_training() -> None:
    names = {name for name, _ in pins(ROOT / "requirements" / "serving.txt")}
    assert not names & {"torch", "torchvision", "lightning-fabric", "pytest", "pip-audit"}


def test_make_sbom_lists_every_package_of_the_service(tmp_path: Path) -> None:
    command = recipe("sbom").replace("sbom.json", str(tmp_path / "sbom.json"))
    subprocess.run(command, shell=True, cwd=ROOT, check=True, capture_output=True)
    document = json.loads((tmp_path / "sbom.json").read_text())
    assert document["bomFormat"] == "CycloneDX"
    assert document["metadata"]["component"]["name"] == "cvae-digits"
    listed = {(part["name"], part["version"]) for part in document["components"]}
    assert listed == pins(ROOT / "requirements" / "serving.txt")
    for part in document["components"]:
        assert part["externalReferences"][0]["hashes"]


def test_make_audit_never_takes_silence_for_an_answer() -> None:
    """Where nobody can be asked it fails: an audit that saw nothing must not look clean."""
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    done = subprocess.run(
        recipe("audit"),
        shell=True,
        cwd=ROOT,
        env={**os.environ, **nowhere},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "No known vulnerabilities found" not in done.stdout + done.stderr


def recipe(target: str) -> str:
    """The command behind `make TARGET`, in this environment."""
    done = subprocess.run(
        ["make", "--no-print-directory", "--dry-run", "--assume-old", ".venv/development.made"]
        + [f"VENV={BIN.parent}", target],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.replace("\\\n", " ").splitlines()
    return next(line for line in lines if f"{BIN}/" in line and "pip install" not in line)
