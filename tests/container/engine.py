"""What builds and runs images: Docker if its daemon answers, else buildah and podman."""

import json
import os
import shutil
import ssl
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conftest import ROOT
from tests.container.stand_in import NoStandIn, make_stand_in

LIMIT_S = 600
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"  # where programs of Debian look for them
# The restrictions of `docker compose up` and of the cluster.
HARDENED = (
    *("--read-only", "--tmpfs", "/tmp:rw,noexec,nosuid,nodev,size=64m"),
    *("--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
    *("--memory", "512m", "--pids-limit", "128"),
)
# For a machine without systemd, and for a root that cannot raise its own limits.
CONTAINERS_CONF = """
[containers]
default_ulimits = ["nofile=8192:8192", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""


class NoEngine(Exception):
    """No program can build and run an image; the message says why."""


@dataclass(frozen=True)
class Engine:
    """A program with the command line of Docker."""

    program: str
    build_command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    # makes the base image available under its name; Docker pulls it itself
    prepare: Callable[[str], None] = lambda reference: None  # noqa: ARG005

    def __call__(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the program.

        Raises:
            AssertionError: it failed; the message is its output.
        """
        return self.run([self.program, *arguments], check)

    def build(self, tag: str, *options: str) -> None:
        """Build the Dockerfile of this project as `tag`."""
        self.run([*self.build_command, "--tag", tag, *options, str(ROOT)])

    def image(self, tag: str) -> dict[str, Any]:
        """The facts about an image: Size in bytes, Config, Architecture, ..."""
        return dict(json.loads(self("image", "inspect", tag).stdout)[0])

    def container(self, name: str) -> dict[str, Any]:
        """The facts about a container: State, HostConfig, ..."""
        return dict(json.loads(self("container", "inspect", name).stdout)[0])

    @property
    def is_docker(self) -> bool:
        """Whether this is Docker itself."""
        return self.program == "docker"

    def run(self, command: Sequence[str], check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run another program with the engine's settings."""
        done = subprocess.run(
            command,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        assert not check or done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"[-6000:]
        return done


def find_engine(folder: Path) -> Engine:
    """The engine of this machine; its settings are written to `folder`.

    Raises:
        NoEngine: none works.
    """
    if shutil.which("docker") and _succeeds("docker", "version"):
        return Engine("docker", ("docker", "build"))
    missing = [name for name in ("buildah", "podman", "runc") if not shutil.which(name)]
    if missing:
        raise NoEngine(f"no Docker daemon answers, and {', '.join(missing)} is not installed")
    if os.geteuid():
        raise NoEngine("no Docker daemon answers, and buildah builds here only as root")
    return _podman(folder)


def _podman(folder: Path) -> Engine:
    settings = folder / "containers.conf"
    settings.write_text(CONTAINERS_CONF)
    environment = {"CONTAINERS_CONF": str(settings)}
    command = (
        *("buildah", "bud", "--isolation", "chroot", "--network", "host", "--format", "docker"),
        *("--layers=false", "--pull=false", *_mounts(folder)),
    )

    def prepare(reference: str) -> None:
        if _succeeds("podman", "image", "exists", reference, **environment):
            return
        if _succeeds("podman", "pull", "--quiet", reference, **environment):
            return
        try:
            make_stand_in(reference)
        except NoStandIn as reason:
            raise NoEngine(str(reason)) from reason

    return Engine("podman", command, environment, prepare)


def _mounts(folder: Path) -> tuple[str, ...]:
    """Certificates and package index of this machine, for the build; no layer contains them."""
    pip = folder / "pip.conf"
    lines = ["[global]", f"cert = {CERTIFICATES}"]
    for name in ("index-url", "proxy"):
        found = subprocess.run(
            ["pip", "config", "get", f"global.{name}"], capture_output=True, text=True, check=False
        )
        if found.returncode == 0 and found.stdout.startswith("http"):
            lines.append(f"{name} = {found.stdout.strip()}")
    pip.write_text("\n".join(lines))
    own = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    mounts = ["-v", f"{pip}:/etc/pip.conf:ro"]
    if own and Path(own).is_file():
        mounts += ["-v", f"{own}:{CERTIFICATES}:ro"]
    return tuple(mounts)


def _succeeds(*command: str, **environment: str) -> bool:
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **environment},
            capture_output=True,
            timeout=LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
