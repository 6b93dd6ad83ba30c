"""The arguments of the Dockerfile."""

import re

from tests.conftest import ROOT

TEXT = (ROOT / "Dockerfile").read_text()


def argument(name: str) -> set[str]:
    """Every default that the Dockerfile gives to an argument."""
    return set(re.findall(rf'^ARG {name}="?([^"\s]*)"?$', TEXT, re.MULTILINE))


def base_image() -> str:
    """The base image of all stages, as podman names it."""
    (name,) = argument("PYTHON_IMAGE")
    return f"docker.io/library/{name}"
