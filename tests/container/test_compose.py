"""docker-compose.yml: valid, hardened, pinned, and really run."""

import io
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import compose_spec
import pytest
import yaml
from PIL import Image

from app.settings import Settings
from harness.launcher import free_port, wait_until
from harness.nginx import UPSTREAM
from model.checkpoint import read_checkpoint
from tests.conftest import ROOT
from tests.container.conftest import Service, fetch, wait_until_ready
from tests.container.engine import Engine
from tests.container.manifest import COMPOSE, compose_file, program

SERVICES = compose_file()["services"]


def test_compose_file_is_valid() -> None:
    resolved = yaml.safe_dump(compose_file())  # without anchors
    assert (
        compose_spec.PyCompose.from_yaml(resolved).to_dict()["services"].keys() == SERVICES.keys()
    )


@pytest.mark.parametrize(
    ("good", "bad"),
    [("mem_limit: 512m", "mem_limit: many"), ("condition: service_healthy", "condition: never")],
)
def test_compose_file_with_a_mistake_is_invalid(good: str, bad: str) -> None:
    """So that the test above can fail."""
    text = yaml.safe_dump(yaml.safe_load(COMPOSE.read_text().replace(good, bad)))
    with pytest.raises(ValueError, match=r"mem_limit|condition"):
        compose_spec.PyCompose.from_yaml(text)


def test_docker_accepts_the_compose_file() -> None:
    docker = program("docker")
    if subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker has no compose here")
    subprocess.run([docker, "compose", "--profile", "*", "config", "-q"], cwd=ROOT, check=True)


def test_up_alone_starts_the_service_alone() -> None:
    assert [name for name, service in SERVICES.items() if "profiles" not in service] == ["digits"]
    assert {name: service.get("profiles") for name, service in SERVICES.items()} == {
        "digits": None,
        "train": ["train"],
        "prometheus": ["monitoring"],
        "grafana": ["monitoring"],
        "proxy": ["proxy"],
    }


@pytest.mark.parametrize("name", SERVICES)
def test_compose_service_is_hardened(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert "cap_add" not in service
    assert service["mem_limit"]
    assert service["pids_limit"]
    for port in service.get("ports", ()):
        assert port.startswith("127.0.0.1:")


@pytest.mark.parametrize("name", SERVICES)
def test_compose_image_is_built_here_or_pinned(name: str) -> None:
    service = SERVICES[name]
    if "build" not in service:
        assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+[\w.-]*", service["image"])
        assert service["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize("name", SERVICES)
def test_compose_mounts_files_of_the_repository(name: str) -> None:
    volumes = compose_file()["volumes"]
    for mount in SERVICES[name].get("volumes", ()):
        source = mount.split(":")[0]
        if source.startswith("."):
            assert (ROOT / source).exists(), source
            assert mount.endswith(":ro")
        else:
            assert source in volumes


def test_compose_settings_are_settings_of_the_service() -> None:
    names = {f"CVAE_{name.upper()}" for name in Settings.model_fields}
    assert SERVICES["digits"]["environment"].keys() <= names


def test_prometheus_and_proxy_use_the_name_of_the_service() -> None:
    monitoring = yaml.safe_load((ROOT / "deploy/monitoring/prometheus.yml").read_text())
    assert monitoring["scrape_configs"][0]["static_configs"][0]["targets"] == ["digits:8000"]
    assert UPSTREAM == "server digits:8000"


Up = Callable[[], Any]


@pytest.fixture
def up(engine: Engine, image: str, tmp_path: Path) -> Up:
    """`with up() as service`: the compose file's service `digits` with the image under test."""

    @contextmanager
    def up() -> Iterator[Service]:
        content = compose_file()
        project = f"cvae-digits-{time.monotonic_ns()}"
        port = free_port()
        digits = {**content["services"]["digits"], "image": image, "container_name": project}
        digits.pop("build")
        if engine.is_docker:
            digits["ports"] = [f"127.0.0.1:{port}:8000"]
            command = ["docker", "compose"]
        else:  # a network of its own takes rights that root may not have here
            digits.pop("ports")
            digits["network_mode"] = "host"
            digits["environment"] |= {"CVAE_HOST": "127.0.0.1", "CVAE_PORT": str(port)}
            command = [program("podman-compose")]
        changed = {**content, "name": project, "services": {"digits": digits}}
        file = tmp_path / "docker-compose.yml"
        file.write_text(yaml.safe_dump(changed))
        compose = [*command, "--file", str(file), "--project-name", project]
        engine.run([*compose, "up", "--detach"])
        try:
            service = Service(project, f"http://127.0.0.1:{port}")
            wait_until_ready(engine, service)
            yield service
        finally:
            engine.run([*compose, "down", "--volumes"])

    return up


@pytest.mark.container
def test_compose_up_serves_and_takes_over_what_training_writes(
    engine: Engine, up: Up, mnist_slice: Path, tmp_path: Path
) -> None:
    with up() as service:
        host = engine.container(service.name)["HostConfig"]
        assert host["ReadonlyRootfs"]
        assert host["Memory"] == 512 * 2**20
        before = drawn_by(service)
        volume = next(
            mount
            for mount in engine.container(service.name)["Mounts"]
            if mount["Destination"] == "/checkpoints"
        )
        if not os.access(volume["Source"], os.W_OK):
            pytest.skip("the engine's volumes cannot be reached from here")
        trained = train_into(Path(volume["Source"]) / "current", mnist_slice, tmp_path)
        assert trained != before
        # Every request is answered meanwhile.
        wait_until(lambda: drawn_by(service) == trained, "The new checkpoint was not taken over.")


def drawn_by(service: Service) -> str:
    """The hash of the model that draws."""
    picture = Image.open(io.BytesIO(fetch(f"{service.address}/generate?digits=2018")))
    return str(picture.info["model"])


def train_into(checkpoint: Path, mnist_slice: Path, folder: Path) -> str:
    """Train a tiny model into a volume as the compose file's `train` does; its hash."""
    command = [
        *(sys.executable, "-m", "training", "--epochs", "1", "--no-evaluate"),
        *("--hidden", "32", "--latent", "4", "--accelerator", "cpu"),
        *("--data-dir", str(mnist_slice), "--run-dir", str(folder / "run")),
        *("--checkpoint", str(checkpoint)),
    ]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return read_checkpoint(checkpoint).model_hash


def test_train_of_the_compose_file_writes_where_the_service_reads() -> None:
    command = SERVICES["train"]["command"]
    written = command[command.index("--checkpoint") + 1]
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert f"CVAE_CHECKPOINT={written}" in dockerfile
    for name in ("digits", "train"):
        assert any(
            mount.startswith(f"checkpoints:{Path(written).parent}")
            for mount in SERVICES[name]["volumes"]
        )
