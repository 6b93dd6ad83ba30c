"""The text of the Dockerfile."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from deploy.image.rehearse import rehearse
from model.checkpoint import PRETRAINED, read_checkpoint
from tests.conftest import ROOT
from tests.container.dockerfile import TEXT, argument


def test_model_hash_is_that_of_the_bundled_checkpoint() -> None:
    assert argument("MODEL_HASH") == {read_checkpoint(PRETRAINED).model_hash}


def test_base_is_slim_and_pinned_to_a_patch_version() -> None:
    (base,) = argument("PYTHON_IMAGE")
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+(@sha256:[0-9a-f]{64})?", base)
    assert set(re.findall(r"^FROM (\S+)", TEXT, re.MULTILINE)) == {"${PYTHON_IMAGE}"}


def test_the_last_stage_is_the_service() -> None:
    """So `docker build .` builds it."""
    assert re.findall(r"^FROM \S+ AS (\w+)", TEXT, re.MULTILINE) == ["build", "train", "service"]


def test_rehearsal_of_the_build_succeeds(
    serve: Callable[..., AbstractContextManager[str]],
) -> None:
    with serve() as address:
        assert rehearse(address, read_checkpoint(PRETRAINED).model_hash) > 20


def test_hadolint_finds_nothing() -> None:
    hadolint = shutil.which("hadolint", path=f"{Path(sys.executable).parent}") or shutil.which(
        "hadolint"
    )
    if not hadolint:
        pytest.skip("hadolint is not installed; `make container` brings it")
    done = subprocess.run(
        [hadolint, "--no-color", "--failure-threshold", "info", "Dockerfile"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")
