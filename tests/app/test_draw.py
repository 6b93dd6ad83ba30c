import subprocess
import sys
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.draw import main
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


def test_draw_without_a_seed_prints_the_one_it_took(
    client: TestClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["2018", "-o", str(tmp_path / "a.png")]) == 0
    seed = capsys.readouterr().err.removeprefix("seed ").strip()
    answer = client.get(f"/generate?digits=2018&seed={seed}")
    assert (tmp_path / "a.png").read_bytes() == answer.content


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (
            ["20x8", "-o", "a.png"],
            2,
            "text must be 1 to 64 of the digits 0-9 and the marks . , : - / and space; character 3 "
            "is neither. See --help.",
        ),
        (["1", "-o", "a.bmp"], 2, "format must be png, webp, svg, json or npy. See --help."),
        (
            ["1", "-o", "/nowhere/at/all.png"],
            1,
            "/nowhere/at/all.png cannot be written: No such file or directory.",
        ),
    ],
)
def test_draw_says_in_one_sentence_what_cannot_be_done(
    capsys: pytest.CaptureFixture[str], options: list[str], code: int, sentence: str
) -> None:
    assert main([*options, "--seed", "7"]) == code
    assert capsys.readouterr().err == f"{sentence}\n"


def test_draw_with_a_bad_checkpoint_says_so_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CVAE_CHECKPOINT", "/nowhere")
    assert main(["1", "-o", "a.png"]) == 1
    assert "The checkpoint folder /nowhere does not exist" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["1"], "A terminal cannot show a picture; name a file with -o, or use a pipe."),
        (["1", "-o", "a.png", "--see", "7"], "unrecognized arguments: --see 7"),
    ],
)
def test_draw_refuses_a_terminal_and_an_unknown_option(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    sentence: str,
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with pytest.raises(SystemExit, match="2"):
        main(options)
    assert capsys.readouterr().err.endswith(f"cvae-digits draw: error: {sentence}\n")


def test_draw_without_standard_output_asks_for_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdout", None)  # as after `>&-`
    with pytest.raises(SystemExit, match="2"):
        main(["1"])
    assert "Standard output is closed; name a file with -o." in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a file that takes nothing")
def test_draw_names_the_file_that_has_no_room(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["1", "--seed", "1", "--format", "png", "-o", "/dev/full"]) == 1
    assert capsys.readouterr().err == "/dev/full cannot be written: No space left on device.\n"


def test_draw_writes_into_a_pipe() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app.draw", "2018", "--seed", "7"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    assert done.stdout.startswith(b"\x89PNG")
    assert done.stderr == b""
