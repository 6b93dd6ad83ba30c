import subprocess
import sys
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.draw import main
from app.request.schemas import GenerateQuery
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("options", "query"),
    [
        (["2018", "--seed", "7"], "digits=2018&seed=7"),
        (
            ["007", "--seed=0", "--rows=2", "--gap=-3", "--ink=00f", "--paper=transparent"],
            "digits=007&seed=0&rows=2&gap=-3&ink=00f&paper=transparent",
        ),
        (
            ["42", "--seed=1", "--spacing=tight", "--scale=2"],
            "digits=42&seed=1&spacing=tight&scale=2",
        ),
    ],
)
def test_draw_writes_the_bytes_of_the_service(
    client: TestClient, tmp_path: Path, options: list[str], query: str
) -> None:
    for name in ("png", "webp", "svg", "npy"):
        if name == "npy" and "paper" in query:
            continue
        path = tmp_path / f"drawn.{name}"
        assert main([*options, "-o", str(path)]) == 0
        assert path.read_bytes() == client.get(f"/generate?{query}&format={name}").content


def test_draw_without_a_seed_says_which_it_took(
    client: TestClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["2018", "-o", str(tmp_path / "a.png")]) == 0
    seed = capsys.readouterr().err.removeprefix("seed ").strip()
    answer = client.get(f"/generate?digits=2018&seed={seed}")
    assert (tmp_path / "a.png").read_bytes() == answer.content


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (["20x8"], 2, "digits must be 1 to 64 of the digits 0-9; character 3 is none of them"),
        (["1", "-o", "a.bmp"], 2, "format must be png, webp, svg, json or npy"),
        (["1", "-o", "/nowhere/at/all.png"], 1, "No such file or directory"),
    ],
)
def test_draw_what_cannot_be_done_is_one_sentence(
    capsys: pytest.CaptureFixture[str], options: list[str], code: int, sentence: str
) -> None:
    assert main(options) == code
    error = capsys.readouterr().err
    assert sentence in error
    assert len(error.splitlines()) == 1


def test_draw_bad_checkpoint_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CVAE_CHECKPOINT", "/nowhere")
    assert main(["1", "-o", "a.png"]) == 1
    assert "The checkpoint folder /nowhere does not exist" in capsys.readouterr().err


def test_draw_into_a_pipe_from_the_shell() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app.draw", "2018", "--seed", "7"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    assert done.stdout.startswith(b"\x89PNG")
    assert done.stderr == b""


def test_draw_has_an_option_for_every_parameter(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    for name in GenerateQuery.model_fields:
        assert name in shown
