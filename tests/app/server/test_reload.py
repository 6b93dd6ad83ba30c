import asyncio
import logging
import os
import shutil
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.server.reload import reloading
from app.server.start import holding_hangups
from app.settings import SettingError, Settings
from harness.launcher import wait_until
from model.atomic import exchange
from model.checkpoint import PRETRAINED, WEIGHTS, Checkpoint, CheckpointError
from model.engine import EngineError

LIMIT_S = 30
KEYS = ("first-key-of-a-client", "second-key-of-a-client")


class Loader:
    """Loads the only file of a folder as the name of a model."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "model"
        self.file.write_text("first")
        self.model = "first"
        self.error: Exception | None = None

    def __call__(self) -> Callable[[], str]:
        if self.error is not None:
            raise self.error
        return partial(self._use, self.file.read_text())

    def _use(self, model: str) -> str:
        self.model = model
        return model


@pytest.fixture
def loader(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Loader:
    caplog.set_level(logging.INFO, "uvicorn.error")
    return Loader(tmp_path)


def hang_up() -> None:
    os.kill(os.getpid(), signal.SIGHUP)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not condition():
            await asyncio.sleep(0.01)


def test_signal_puts_the_present_content_into_use(
    loader: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        async with reloading(loader.file.parent, loader, watch_seconds=0):
            loader.file.write_text("second")
            await asyncio.sleep(0.1)
            assert loader.model == "first"
            hang_up()
            await until(lambda: loader.model == "second")

    asyncio.run(scene())
    assert "Drawing with the model second from now on." in caplog.text
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL


def test_watching_puts_each_new_content_into_use_once(
    loader: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        async with reloading(loader.file.parent, loader, watch_seconds=0.01):
            for content in ("second", "third"):
                await asyncio.sleep(0.05)
                loader.file.write_text(content)
                await until(lambda: loader.model == content)  # noqa: B023 - awaited here

    asyncio.run(scene())
    assert caplog.text.count("from now on") == 2


@pytest.mark.parametrize("kind", [CheckpointError, EngineError, SettingError])
def test_what_cannot_be_used_is_refused_with_one_sentence(
    loader: Loader, kind: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        async with reloading(loader.file.parent, loader, watch_seconds=0):
            loader.error = kind("The file is damaged.")
            hang_up()
            await until(lambda: bool(caplog.records))

    asyncio.run(scene())
    refused = "The new checkpoint or keys are refused, nothing changes: The file is damaged."
    assert [record.message for record in caplog.records] == [refused]
    assert caplog.records[0].exc_info is None


@pytest.mark.parametrize(
    "error", [OSError("the disk\nis gone"), RecursionError("too deep"), MemoryError(), KeyError(1)]
)
def test_watching_continues_after_an_unexpected_error_told_in_one_sentence(
    loader: Loader, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        async with reloading(loader.file.parent, loader, watch_seconds=0.01):
            loader.error = error
            loader.file.write_text("lost")
            await until(lambda: type(error).__name__ in caplog.text)
            assert caplog.records[-1].exc_info is None
            assert "\n" not in caplog.records[-1].message
            loader.error = None
            loader.file.write_text("second")
            await until(lambda: loader.model == "second")

    asyncio.run(scene())


def test_signals_before_the_first_load_and_a_flood_of_them_are_one_reload_each(
    loader: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        async with reloading(loader.file.parent, loader, watch_seconds=0):
            await until(lambda: caplog.text.count("from now on") == 1)
            for _ in range(200):
                hang_up()
                await asyncio.sleep(0.001)
            await until(lambda: caplog.text.count("from now on") == 2)
        assert caplog.text.count("from now on") == 2

    with holding_hangups():
        signal.raise_signal(signal.SIGHUP)  # to this thread: others do not hold it back
        asyncio.run(scene())
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL


def test_content_that_changes_while_it_is_loaded_is_loaded_again(loader: Loader) -> None:
    def load() -> Callable[[], str]:
        use = loader()
        loader.file.write_text("second")
        return use

    async def scene() -> None:
        async with reloading(loader.file.parent, load, watch_seconds=0):
            hang_up()
            await until(lambda: loader.model == "second")

    asyncio.run(scene())


def test_service_takes_over_a_new_checkpoint_with_new_keys_and_refuses_a_damaged_one(
    tiny_checkpoint: Checkpoint, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = Path(shutil.copytree(tiny_checkpoint.folder, tmp_path / "checkpoint"))
    keys = tmp_path / "keys"
    keys.write_text(KEYS[0])
    settings = Settings(checkpoint=folder, api_keys_file=keys, watch_seconds=0.01)
    with TestClient(create_app(settings)) as client:

        def model() -> str:
            return str(client.get("/readyz").json()["model"])

        def status(key: str) -> int:
            return client.get("/generate?digits=7&seed=1", headers={"X-API-Key": key}).status_code

        first = model()
        assert [status(key) for key in KEYS] == [200, 401]
        keys.write_text(KEYS[1])
        exchange(Path(shutil.copytree(PRETRAINED, tmp_path / "fresh")), folder)
        wait_until(lambda: model() != first, "another model draws", LIMIT_S)
        assert [status(key) for key in KEYS] == [401, 200]
        second = model()
        (folder / WEIGHTS).write_bytes(b"damaged")
        wait_until(lambda: "are refused, nothing changes: The " in caplog.text, "refused", LIMIT_S)
        assert (model(), status(KEYS[1])) == (second, 200)
        shutil.rmtree(folder)
        assert (model(), status(KEYS[1])) == (second, 200)
