"""What several test files share: a slice of real MNIST, a tiny checkpoint, a client.

Imports neither torch nor a browser driver: `make quick` runs without them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from harness.launcher import running
from model.checkpoint import CARD, METRICS, PRETRAINED, SAMPLES, Checkpoint, Provenance
from model.config import ARTICLE, CVAEConfig

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from model.cvae import CVAE

# No test of ours depends on how long something takes: the machine may be busy.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")

ROOT = Path(__file__).parent.parent
CHROMIUM_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
HEAVY = {"onnx", "opentelemetry", "torch"}


class HeavyModule(pytest.Module):
    """A test file, skipped where it imports a package that `make quick` does without."""

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        """The tests of the file."""
        try:
            return super().collect()
        except self.CollectError as error:
            cause = error.__cause__
            if isinstance(cause, ModuleNotFoundError) and str(cause.name).split(".")[0] in HEAVY:
                pytest.skip(f"{cause.name} is not installed", allow_module_level=True)
            raise


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module:
    """Collect test files as `HeavyModule`."""
    module: pytest.Module = HeavyModule.from_parent(parent, path=module_path)
    return module


@pytest.fixture(scope="session")
def mnist_slice() -> Path:
    """1,000 training and 200 test images of MNIST in torchvision's layout."""
    return Path(__file__).parent / "data"


@pytest.fixture(scope="session")
def tiny_config() -> CVAEConfig:
    return ARTICLE.model_copy(update={"hidden": (32,), "latent": 6})


@pytest.fixture(scope="session")
def tiny_cvae(tiny_config: CVAEConfig) -> CVAE:
    torch = pytest.importorskip("torch")
    from model.cvae import CVAE

    cvae = CVAE(tiny_config)
    cvae.initialise(torch.Generator().manual_seed(0))
    return cvae.eval()


@pytest.fixture(scope="session")
def provenance() -> Provenance:
    return Provenance(
        data_set="none",
        train_images=0,
        test_images=0,
        seed=0,
        epochs=0,
        batch_size=0,
        optimizer="none",
        learning_rate=0.0,
        objective="none",
        versions={},
    )


@pytest.fixture(scope="session")
def documents() -> dict[str, bytes]:
    return {METRICS: b'{"unit": "nats"}', SAMPLES: b"samples", CARD: b"card"}


@pytest.fixture(scope="session")
def tiny_checkpoint(
    tmp_path_factory: pytest.TempPathFactory,
    tiny_cvae: CVAE,
    provenance: Provenance,
    documents: dict[str, bytes],
) -> Checkpoint:
    """A complete checkpoint folder of an untrained network of a few thousand weights."""
    from model.export import save_cvae

    folder = tmp_path_factory.mktemp("tiny") / "checkpoint"
    return save_cvae(folder, tiny_cvae, provenance, documents)


@pytest.fixture(scope="session")
def client() -> Iterator[TestClient]:
    """The application with the checkpoint that ships, through its real ASGI interface."""
    with TestClient(create_app(Settings(checkpoint=PRETRAINED, access_log=False))) as client:
        yield client


@pytest.fixture(scope="session")
def serve() -> Callable[..., AbstractContextManager[str]]:
    """`with serve(CVAE_ENGINE="torch") as address`: the service as a process of its own."""

    @contextmanager
    def serve(**environment: str) -> Iterator[str]:
        with running(**environment) as service:  # type: ignore[arg-type]
            yield service.address

    return serve


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium: the system's if there is one, else the one that Playwright installs.

    For one module: meanwhile this thread cannot use asyncio.
    """
    from playwright.sync_api import sync_playwright

    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        if not found and not os.path.exists(playwright.chromium.executable_path):
            pytest.skip("no Chromium: `apt-get install chromium` or `playwright install chromium`")
        browser = playwright.chromium.launch(executable_path=found, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()
