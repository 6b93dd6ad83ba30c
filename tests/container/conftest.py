"""The image, built once, and containers of it that run as hardened as the documents promise."""

import shutil
import socket
import tarfile
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.container.dockerfile import base_image
from tests.container.engine import HARDENED, Engine, NoEngine, find_engine

READY_LIMIT_S = 60


@dataclass(frozen=True)
class Service:
    """A running container: its name, and where it listens on this machine."""

    name: str
    address: str


RunService = Callable[..., AbstractContextManager[Service]]


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    folder = Path(tempfile.mkdtemp(prefix="cvae-digits-"))
    try:
        engine = find_engine(folder)
        engine.prepare(base_image())
        yield engine
    except NoEngine as reason:
        pytest.skip(f"no image can be built here: {reason}")
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def image(engine: Engine) -> Iterator[str]:
    """The name of the service's image, freshly built from the working tree."""
    tag = f"localhost/cvae-digits:test-{uuid.uuid4().hex[:8]}"
    engine.build(tag)
    yield tag
    engine("rmi", "--force", tag)


@pytest.fixture(scope="session")
def run_service(engine: Engine, image: str) -> RunService:
    """`with run_service("--env", "NAME=value") as service`: ready, hardened, on loopback."""

    @contextmanager
    def run(*options: str) -> Iterator[Service]:
        port = free_port()
        service = Service(f"cvae-digits-{port}", f"http://127.0.0.1:{port}")
        network = [
            "--network",
            "host",
            "--env",
            "CVAE_HOST=127.0.0.1",
            "--env",
            f"CVAE_PORT={port}",
        ]
        if engine.is_docker:  # its daemon may live in a virtual machine
            network = ["--publish", f"127.0.0.1:{port}:8000"]
        engine("run", "--detach", "--name", service.name, *network, *HARDENED, *options, image)
        try:
            wait_until_ready(engine, service)
            yield service
        finally:
            engine("rm", "--force", service.name)

    return run


@pytest.fixture(scope="session")
def service(run_service: RunService) -> Iterator[Service]:
    """One that all tests share which only look."""
    with run_service() as service:
        yield service


@pytest.fixture(scope="session")
def files(engine: Engine, image: str) -> Iterator[dict[str, tarfile.TarInfo]]:
    """Every file and folder of the image by its path, without the leading slash."""
    name = f"cvae-digits-{uuid.uuid4().hex[:8]}"
    with tempfile.NamedTemporaryFile() as archive:
        engine("create", "--name", name, image)
        try:
            engine("export", "--output", archive.name, name)
        finally:
            engine("rm", "--force", name)
        with tarfile.open(archive.name) as content:
            yield {member.name.removeprefix("./"): member for member in content}


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def wait_until_ready(engine: Engine, service: Service) -> None:
    limit = time.monotonic() + READY_LIMIT_S
    while time.monotonic() < limit:
        try:
            with urlopen(f"{service.address}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (URLError, ConnectionError):
            state = engine.container(service.name)["State"]
            assert state["Running"], engine("logs", service.name)
            time.sleep(0.05)
    raise AssertionError(f"not ready within {READY_LIMIT_S} s: {engine('logs', service.name)}")


def fetch(address: str) -> bytes:
    with urlopen(address, timeout=60) as answer:
        return bytes(answer.read())
