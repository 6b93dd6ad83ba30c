from pathlib import Path

import pytest

from app.settings import read_settings
from model.checkpoint import PRETRAINED


def test_defaults_serve_the_bundled_checkpoint_locally() -> None:
    settings = read_settings([])
    assert settings.checkpoint == PRETRAINED
    assert (settings.engine, settings.precision) == ("onnx", "int8")
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)


def test_environment_sets_and_arguments_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVAE_CHECKPOINT", "/somewhere")
    monkeypatch.setenv("CVAE_PORT", "9000")
    settings = read_settings(["--port", "9001"])
    assert settings.checkpoint == Path("/somewhere")
    assert settings.port == 9001
    assert read_settings().port == 9000


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_bad_port_ends_with_a_sentence(port: str) -> None:
    with pytest.raises(SystemExit, match=r"^The setting port \(CVAE_PORT or --port\) cannot be"):
        read_settings([f"--port={port}"])
