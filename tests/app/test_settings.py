import pickle
import re
from pathlib import Path

import pytest

from app.settings import Settings, read_settings
from model.checkpoint import PRETRAINED


def test_defaults_serve_the_bundled_checkpoint_locally() -> None:
    settings = read_settings([])
    assert settings.checkpoint == PRETRAINED
    assert (settings.engine, settings.precision) == ("onnx", "int8")
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)


def test_arguments_take_precedence_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVAE_CHECKPOINT", "/somewhere")
    monkeypatch.setenv("CVAE_PORT", "9000")
    monkeypatch.setenv("CVAE_ACCESS_LOG", "true")
    settings = read_settings(["--port", "9001", "--no-access-log"])
    assert settings.checkpoint == Path("/somewhere")
    assert (settings.port, settings.access_log) == (9001, False)
    assert read_settings().port == 9000


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_bad_port_ends_with_a_sentence(port: str) -> None:
    with pytest.raises(SystemExit, match=r"^The setting port \(CVAE_PORT or --port\) cannot be"):
        read_settings([f"--port={port}"])


def test_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CVAE_HOST", "CVAE_PORT", "CVAE_METRICS_FOLDER", "CVAE_LOG"):
        monkeypatch.setenv(name, "")
    assert read_settings() == Settings()
    with pytest.raises(SystemExit, match=r"^The setting host "):
        read_settings(["--host", ""])  # which would be every address


@pytest.mark.parametrize("arguments", [None, []])
def test_misspelt_variable_is_refused(
    arguments: list[str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CVAE_PROT", "9000")
    with pytest.raises(SystemExit, match=r"^CVAE_PROT is not a setting; did you mean CVAE_PORT\?$"):
        read_settings(arguments)


def test_variables_of_a_kubernetes_service_are_not_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CVAE_DIGITS_PORT", "tcp://10.0.0.7:80")
    monkeypatch.setenv("CVAE_DIGITS_SERVICE_HOST", "10.0.0.7")
    assert read_settings([]).port == 8000


@pytest.mark.parametrize("option", ["--prot=1", "--por=1", "--api-keys=secret"])
def test_unknown_option_is_refused(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        read_settings([option])
    assert "unrecognized arguments" in capsys.readouterr().err


def test_help_shows_values_that_are_accepted_and_no_internal_names(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "1000")  # breaks no value
    with pytest.raises(SystemExit, match="0"):
        read_settings(["--help"])
    text = capsys.readouterr().out
    assert text.startswith("usage: cvae-digits serve ")
    assert not re.search(r"[a-z]_|Path|null|None|True|False|lambda|factory|<|\(\)", text)
    accepted = 0
    for option in text.split("\n  --")[1:]:
        for value in re.findall(r"(?:default: |for example )([^\s)]+)", option):
            read_settings([f"--{option.split()[0]}", value])
            accepted += 1
    assert accepted > 10


def test_settings_reach_another_process_with_their_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVAE_API_KEYS", "key-of-sixteen-characters")
    settings = read_settings()
    assert "key-of" not in repr(settings)
    copy = pickle.loads(pickle.dumps(settings))
    assert copy == settings
    assert copy.api_keys.get_secret_value() == "key-of-sixteen-characters"
