import asyncio
import logging
import os
import shutil
import signal
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.datastructures import State

from app.api.keys import read_keys
from app.drawing.latent_map import strongest_directions
from app.server.reload import Reloader, reloading
from app.settings import Settings
from app.drawing.renderer import open_studio
from model.atomic import exchange
from model.checkpoint import PRETRAINED, WEIGHTS, Checkpoint

LIMIT_S = 30


@pytest.fixture
def folder(tiny_checkpoint: Checkpoint, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_checkpoint.folder, tmp_path / "checkpoint"))


def begun(settings: Settings) -> State:
    return State({"studio": open_studio(settings), "keys": read_keys(settings)})


def put(source: Path, folder: Path) -> None:
    """Put a copy of a checkpoint in the place of another, as training does."""
    fresh = Path(shutil.copytree(source, folder.with_name("fresh")))
    exchange(fresh, folder)
    shutil.rmtree(fresh)


def test_reload_takes_over_the_new_checkpoint(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(checkpoint=folder)
    state = begun(settings)
    old = state.studio
    strongest_directions(old, 1)
    put(PRETRAINED, folder)
    with caplog.at_level(logging.INFO, "uvicorn.error"):
        asyncio.run(Reloader(state, settings, partial(open_studio, settings)).reload())
    assert state.studio.model_hash != old.model_hash
    assert f"Drawing with the model {state.studio.model_hash} from now on." in caplog.text
    assert old.lines([("1", 7)])  # who began with the old one ends with it
    assert strongest_directions.cache_info().currsize == 0


@pytest.mark.parametrize("damage", ["flipped", "gone"])
def test_reload_refuses_a_damaged_checkpoint_and_the_old_goes_on(
    folder: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(checkpoint=folder)
    state = begun(settings)
    old, picture = state.studio, state.studio.lines([("1", 7)])
    if damage == "gone":
        shutil.rmtree(folder)
    else:
        content = bytearray((folder / WEIGHTS).read_bytes())
        content[-1] ^= 1
        (folder / WEIGHTS).write_bytes(content)
    asyncio.run(Reloader(state, settings, partial(open_studio, settings)).reload())
    assert state.studio is old
    assert state.studio.lines([("1", 7)]) == picture
    (record,) = caplog.records
    assert record.message.startswith("The new checkpoint or keys are refused, the old go on: The ")
    assert "\n" not in record.message


def test_reload_reads_the_keys_anew(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("old-key-of-sixteen\n")
    settings = Settings(checkpoint=folder, api_keys_file=file)
    state = begun(settings)
    file.write_text("new-key-of-sixteen\n")
    asyncio.run(Reloader(state, settings, partial(open_studio, settings)).reload())
    assert state.keys.admits([(b"x-api-key", b"new-key-of-sixteen")])
    assert not state.keys.admits([(b"x-api-key", b"old-key-of-sixteen")])
    file.write_text("short-secret")
    asyncio.run(Reloader(state, settings, partial(open_studio, settings)).reload())
    assert state.keys.admits([(b"x-api-key", b"new-key-of-sixteen")])


def test_reload_without_keys_stays_open(folder: Path) -> None:
    settings = Settings(checkpoint=folder, api_keys=SecretStr(""))
    state = begun(settings)
    asyncio.run(Reloader(state, settings, partial(open_studio, settings)).reload())
    assert state.keys.admits([])


async def until_other(state: State, old: object) -> None:
    async with asyncio.timeout(LIMIT_S):
        while state.studio is old:
            await asyncio.sleep(0.01)


def test_watching_takes_over_a_new_folder_and_not_a_damaged_one(
    folder: Path, tiny_checkpoint: Checkpoint, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(checkpoint=folder, watch_seconds=0.01)

    async def scene() -> None:
        state = begun(settings)
        first = state.studio
        async with reloading(state, settings, partial(open_studio, settings)):
            put(PRETRAINED, folder)
            await until_other(state, first)
            second = state.studio
            (folder / WEIGHTS).write_bytes(b"damaged")
            async with asyncio.timeout(LIMIT_S):
                while "are refused, the old go on" not in caplog.text:
                    await asyncio.sleep(0.01)
            assert state.studio is second
            put(tiny_checkpoint.folder, folder)
            await until_other(state, second)
            assert state.studio.model_hash == first.model_hash

    asyncio.run(scene())


def test_not_watching_waits_for_the_signal(folder: Path) -> None:
    settings = Settings(checkpoint=folder)

    async def scene() -> None:
        state = begun(settings)
        first = state.studio
        async with reloading(state, settings, partial(open_studio, settings)):
            put(PRETRAINED, folder)
            await asyncio.sleep(0.1)
            assert state.studio is first
            os.kill(os.getpid(), signal.SIGHUP)
            await until_other(state, first)

    asyncio.run(scene())
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL
