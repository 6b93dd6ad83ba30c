import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.main import create_app
from app.settings import Settings
from tests.conftest import ROOT


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_import_app_main_imports_no_torch_and_nothing_of_training() -> None:
    modules = json.loads(run("import sys, json, app.main; print(json.dumps(list(sys.modules)))"))
    heavy = {name.split(".")[0] for name in modules} & {"torch", "training", "PIL", "onnx"}
    assert not heavy


def test_drawing_imports_no_torch() -> None:
    code = (
        "import sys; from app.main import create_app; from starlette.testclient import TestClient;"
        "from app.settings import Settings\n"
        "with TestClient(create_app(Settings(access_log=False))) as client:\n"
        "    client.get('/generate?digits=2018').raise_for_status()\n"
        "print('torch' in sys.modules)"
    )
    assert run(code) == "False"


def test_create_app_does_not_touch_the_checkpoint(tmp_path: Path) -> None:
    create_app(Settings(checkpoint=tmp_path / "none"))


COMMANDS = {
    "python -m app": ["-m", "app", "--port", "0"],
    "uvicorn": ["-m", "uvicorn", "--factory", "app.main:create_app", "--port", "0"],
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_start_bad_checkpoint_exits_with_one_sentence(command: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={"CVAE_CHECKPOINT": str(tmp_path / "none"), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert f"The checkpoint folder {tmp_path / 'none'} does not exist; train one" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_start_bad_setting_exits_with_one_sentence(command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={"CVAE_ENGINE": "abacus", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert done.stderr.strip() == (
        "The setting engine (CVAE_ENGINE or --engine) cannot be used: "
        "Input should be 'onnx' or 'torch'; see `cvae-digits serve --help`."
    )
