"""The image, built once, and containers of it, hardened as the documents promise."""

import shutil
import tarfile
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest

from harness.launcher import free_port, wait_until
from tests.container.dockerfile import base_image
from tests.container.engine import HARDENED, Engine, NoEngine, find_engine


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
    """The name of the service's image, built from the working tree."""
    tag = f"localhost/cvae-digits:test-{uuid.uuid4().hex[:8]}"
    engine.build(tag)
    yield tag
    engine("rmi", "--force", tag)


@pytest.fixture(scope="session")
def run_service(engine: Engine, image: str) -> RunService:
    """`with run_service("--env", "NAME=value") as service`: ready, hardened, on 127.0.0.1."""

    @contextmanager
    def run(*options: str) -> Iterator[Service]:
        port = free_port()
        service = Service(f"cvae-digits-{port}", f"http://127.0.0.1:{port}")
        settings = "--env", "CVAE_HOST=127.0.0.1", "--env", f"CVAE_PORT={port}"
        network = ["--network", "host", *settings]
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
    """A container that all tests share that change nothing."""
    with run_service() as service:
        yield service


@pytest.fixture(scope="session")
def files(engine: Engine, image: str) -> Iterator[dict[str, tarfile.TarInfo]]:
    """Path, without the leading slash -> every file and folder of the image."""
    name = f"cvae-digits-{uuid.uuid4().hex[:8]}"
    with tempfile.NamedTemporaryFile() as archive:
        engine("create", "--name", name, image)
        try:
            engine("export", "--output", archive.name, name)
        finally:
            engine("rm", "--force", name)
        with tarfile.open(archive.name) as content:
            yield {member.name.removeprefix("./"): member for member in content}


def wait_until_ready(engine: Engine, service: Service) -> None:
    def is_ready() -> bool:
        try:
            with urlopen(f"{service.address}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            state = engine.container(service.name)["State"]
            assert state["Running"], engine("logs", service.name)
            return False

    wait_until(is_ready, f"The container {service.name} is not ready.")


def fetch(address: str) -> bytes:
    with urlopen(address, timeout=60) as answer:
        return bytes(answer.read())
