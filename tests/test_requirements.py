"""The lock files: everything pinned with hashes, and the commands that report on them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app import __version__
from tests.conftest import ROOT

FOLDER = ROOT / "requirements"
LOCKS = sorted(FOLDER.glob("*.txt"))
PINNED = re.compile(r"^([a-z0-9][\w.-]*)==(\S+)", re.MULTILINE)
TRAINING = {"lightning-fabric", "onnx", "torch", "torchvision"}


def pins(name: str) -> set[tuple[str, str]]:
    """The name and version of every package of a lock file."""
    return set(PINNED.findall((FOLDER / name).read_text()))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_locked_package_has_hashes(lock: Path) -> None:
    entries = re.split(r"\n(?=[a-z0-9])", lock.read_text().strip())
    assert len(entries) > 20
    for entry in entries:
        assert PINNED.match(entry), entry
        assert "--hash=sha256:" in entry, entry


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_lock_names_no_address(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    assert not re.search(r"^-", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [
        ("serving.txt", "quick.txt"),
        ("quick.txt", "development.txt"),
        ("training.txt", "development.txt"),
    ],
)
def test_lock_has_every_package_of_a_smaller_one_in_the_same_version(
    smaller: str, larger: str
) -> None:
    assert pins(smaller) <= pins(larger)


@pytest.mark.parametrize("name", ["serving.txt", "quick.txt"])
def test_service_and_its_tests_need_no_package_of_training(name: str) -> None:
    names = {name for name, _ in pins(name)}
    assert not names & (TRAINING | {"playwright", "pip-audit"})


def test_make_sbom_lists_every_package_of_the_service(tmp_path: Path) -> None:
    done = make("sbom", f"SBOM={tmp_path / 'sbom.json'}")
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "sbom.json").read_text())
    assert document["bomFormat"] == "CycloneDX"
    service = document["metadata"]["component"]
    assert (service["name"], service["version"]) == ("cvae-digits", __version__)
    listed = {(part["name"], part["version"]) for part in document["components"]}
    assert listed == pins("serving.txt")
    for part in document["components"]:
        assert part["externalReferences"][0]["hashes"]


def test_make_audit_without_a_connection_fails() -> None:
    """An audit that could ask no database must not look clean."""
    nowhere = "http://127.0.0.1:9"
    done = make("audit", HTTPS_PROXY=nowhere, HTTP_PROXY=nowhere)
    assert done.returncode != 0
    assert "No known vulnerabilities found" not in done.stdout + done.stderr


def make(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What `make` did in the environment that runs this test, which it does not change."""
    venv = Path(sys.prefix)
    return subprocess.run(
        ["make", "--assume-old", str(venv / "development.made"), f"VENV={venv}", *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
