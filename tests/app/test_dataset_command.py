import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from app.dataset import main
from app.drawing.dataset import shards, texts
from app.drawing.dataset.plan import Plan
from app.drawing.renderer import open_renderer
from app.request.dataset_options import DatasetOptions
from model.atomic import replace_file
from model.checkpoint import PRETRAINED
from tests.conftest import ROOT


@pytest.mark.parametrize("name", ["a.npz", "a.ZIP", "a.tar", "a"])
def test_dataset_writes_the_bytes_of_the_service(
    client: TestClient, tmp_path: Path, name: str
) -> None:
    options = {"count": "150", "seed": "7", "length": "2", "variation": "0.3", "gap": "-4"}
    query = "&".join(f"{option}={value}" for option, value in options.items())
    kind = {"a.ZIP": "zip", "a.tar": "webdataset"}.get(name, "npz")
    words = [f"--{option}={value}" for option, value in options.items()]
    assert main([str(tmp_path / name), *words]) == 0
    assert (tmp_path / name).read_bytes() == client.get(f"/dataset?{query}&format={kind}").content
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_dataset_without_a_seed_prints_the_one_it_took(
    client: TestClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.npz"
    assert main([str(path), "--count=5"]) == 0
    seed = capsys.readouterr().err.removeprefix("seed ").strip()
    assert path.read_bytes() == client.get(f"/dataset?count=5&seed={seed}").content


def test_endless_texts_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(texts, "MOST_BYTES", 1000)
    assert main(["a.npz", "--texts=/dev/zero"]) == 2
    expected = "texts /dev/zero is larger than 1000 bytes; divide it. See --help.\n"
    assert capsys.readouterr().err == expected


def test_dataset_replaces_a_file_only_by_force(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(b"mine")
    assert main([str(path), "--count=5"]) == 2
    assert "exists; choose another name, or replace it with --force." in capsys.readouterr().err
    assert path.read_bytes() == b"mine"
    assert main([str(path), "--count=5", "--force"]) == 0
    assert path.read_bytes() != b"mine"


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (
            [f"{'x' * 300}.npz", "--count=5"],
            1,
            f"{'x' * 300}.npz cannot be written: File name too long.",
        ),
        (
            ["a.csv", "--count=5"],
            2,
            "format must be npz, zip, webdataset, parquet, idx or imagefolder. See --help.",
        ),
        (
            ["a.npz", "--count=5", "--format=zip"],
            2,
            "format is not npz, as the ending of a.npz says; leave it out, or name a folder. "
            "See --help.",
        ),
        (["a.npz", "--count=0"], 2, "count must be an integer from 1 to 4294967295. See --help."),
        (
            ["/nowhere/a.npz", "--count=5"],
            1,
            "/nowhere/a.npz cannot be written: No such file or directory.",
        ),
    ],
)
def test_dataset_says_in_one_sentence_what_cannot_be_done(
    capsys: pytest.CaptureFixture[str], options: list[str], code: int, sentence: str
) -> None:
    assert main(options) == code
    assert capsys.readouterr().err == f"{sentence}\n"


def test_dataset_shows_its_progress_on_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main([str(tmp_path / "a.npz"), "--count=300", "--seed=7"]) == 0
    shown = capsys.readouterr().err
    assert shown.startswith(f"\r[{'.' * 40}] 0 of 300, 0/s, ")
    last = shown.strip().split("\r")[-1]
    assert re.fullmatch(r"\[#{40}\] 300 of 300, [0-9,]+/s, 0:00 left", last)


def test_dataset_interrupted_leaves_nothing_behind(tmp_path: Path) -> None:
    script = (
        "import signal, sys; from app.dataset import main; "
        "signal.signal(signal.SIGINT, signal.default_int_handler); "  # ignored in background jobs
        "sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "a.npz"), "--count=60000"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) as process:
        while not any(tmp_path.iterdir()):  # it has begun to write
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate()
    assert (process.returncode, error) == (130, b"\nInterrupted.\n")
    assert not any(tmp_path.iterdir())


FORMS = ["npz", "zip", "webdataset", "idx", "imagefolder"]
FORMS += ["parquet"] if find_spec("pyarrow") else []
SMALL = ["--count=90", "--shard-size=20", "--seed=7", "--temperature=0.8-1.2"]


def files_of(folder: Path) -> dict[str, bytes]:
    """The content of every file below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("form", FORMS)
def test_folder_has_the_same_bytes_for_any_number_of_workers_and_parts(
    tmp_path: Path, form: str
) -> None:
    options = [*SMALL, f"--format={form}"]
    assert main([str(tmp_path / "one"), *options]) == 0
    assert main([str(tmp_path / "two"), *options, "--workers=2"]) == 0
    for part in ("1/3", "2/3", "0/3"):
        assert not (tmp_path / "parts" / "manifest.json").exists()
        assert main([str(tmp_path / "parts"), *options, f"--shard={part}"]) == 0
    one, two, parts = (files_of(tmp_path / name) for name in ("one", "two", "parts"))
    assert two == one
    assert parts == one
    assert not any(".incomplete" in name or ".part" in name for name in one)


@pytest.mark.parametrize("form", FORMS)
def test_folder_that_was_interrupted_anywhere_ends_in_the_same_bytes(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = [*SMALL, f"--format={form}"]
    assert main([str(tmp_path / "whole"), *options]) == 0
    real = replace_file
    for step in range(9):  # each file that is replaced: description, records, card, manifest
        left = [step]

        def interrupted(path: Path, data: bytes, left: list[int] = left) -> None:
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1
            real(path, data)

        folder = tmp_path / f"step-{step}"
        monkeypatch.setattr(shards, "replace_file", interrupted)
        code = main([str(folder), *options])
        monkeypatch.setattr(shards, "replace_file", real)
        assert code == (130 if step < 8 else 0)
        again = [option for option in options if "seed" not in option or step == 0]
        assert main([str(folder), *again]) == 0  # the seed is known from the folder
        assert files_of(folder) == files_of(tmp_path / "whole")


def test_processes_of_a_killed_run_end(tmp_path: Path) -> None:
    options = ["--count=200000", "--shard-size=1000", "--seed=7", "--format=npz", "--workers=2"]
    command = [sys.executable, "-m", "app.dataset", str(tmp_path / "killed"), *options]
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True) as process:
        while not list(tmp_path.glob("killed/train-*.npz")):
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    deadline = time.monotonic() + 20
    try:
        while time.monotonic() < deadline:
            os.killpg(process.pid, 0)
            time.sleep(0.05)
    except ProcessLookupError:
        return
    os.killpg(process.pid, signal.SIGKILL)
    pytest.fail("processes that draw are left")


def test_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    options = ["--count=3000", "--shard-size=100", "--seed=7", "--format=webdataset"]
    command = [sys.executable, "-m", "app.dataset", str(tmp_path / "killed"), *options]
    with subprocess.Popen(command, cwd=ROOT) as process:
        while len(list(tmp_path.glob("killed/train-*.tar"))) < 3:
            assert process.poll() is None
            time.sleep(0.005)
        process.kill()
    assert not (tmp_path / "killed" / "manifest.json").exists()
    kept = sorted(tmp_path.glob("killed/train-*.tar"))[0]
    written = kept.stat().st_mtime_ns
    assert main([str(tmp_path / "killed"), *options, "--workers=2"]) == 0
    assert kept.stat().st_mtime_ns == written
    assert main([str(tmp_path / "whole"), *options]) == 0
    killed, whole = files_of(tmp_path / "killed"), files_of(tmp_path / "whole")
    assert killed == whole


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("damage", ["record", "file"])
def test_shard_that_is_damaged_or_gone_is_written_again(
    tmp_path: Path, form: str, damage: str
) -> None:
    options = [*SMALL, f"--format={form}"]
    assert main([str(tmp_path / "whole"), *options]) == 0
    folder = tmp_path / "half"
    assert main([str(folder), *options, "--shard=0/2"]) == 0
    record = sorted((folder / ".incomplete").glob("t*.json"))[0]
    if damage == "record":
        record.write_text("")
    else:
        names = {"idx": "MNIST/raw/.*images*.part", "imagefolder": ".incomplete/train-*.csv"}
        for path in folder.glob(names.get(form, "train-*")):
            path.unlink()
    assert main([str(folder), *options]) == 0
    assert files_of(folder) == files_of(tmp_path / "whole")


def test_several_runs_that_end_together_complete_the_folder_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main([str(tmp_path / "whole"), *SMALL, "--format=idx"]) == 0
    monkeypatch.setattr(shards, "_finish", lambda *_: False)
    assert main([str(tmp_path / "a"), *SMALL, "--format=idx"]) == 0
    monkeypatch.undo()
    renderer = open_renderer(PRETRAINED, "onnx", "int8")
    values = dict(word.removeprefix("--").split("=") for word in [*SMALL, "--format=idx"])
    plan = Plan(DatasetOptions.model_validate(values), seed=7)
    with ThreadPoolExecutor(4) as pool:
        done = pool.map(lambda _: shards.finish(tmp_path / "a", plan, renderer), range(4))
    assert list(done) == [True] * 4
    assert files_of(tmp_path / "a") == files_of(tmp_path / "whole")


def test_shard_that_is_written_leaves_nothing_in_memory(tmp_path: Path) -> None:
    renderer = open_renderer(PRETRAINED, "onnx", "int8")
    values = {"count": "300", "shard-size": "100", "format": "npz", "length": "8"}
    plan = Plan(DatasetOptions.model_validate(values), seed=7)
    for index in shards.begin(tmp_path / "a", plan, renderer):
        shards.write_shard(tmp_path / "a", plan.shards[index], renderer, lambda _: None)
    assert all("labels" not in vars(shard.section) for shard in plan.shards)


def test_complete_folder_is_left_as_it_is(tmp_path: Path) -> None:
    options = [str(tmp_path / "a"), *SMALL, "--format=npz"]
    assert main(options) == 0
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "a").rglob("*")}
    assert main(options) == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "a").rglob("*")} == before


def test_manifest_and_card_say_what_there_is(tmp_path: Path) -> None:
    options = ["--split=train=0.8,test=0.2", "--format=npz", "--length=2"]
    assert main([str(tmp_path), *SMALL, *options]) == 0
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["splits"] == {"train": 72, "test": 18}
    assert manifest["images"] == 90
    assert sum(manifest["digits"]) == 180
    assert manifest["seed"] == 7
    assert "temperature=0.8-1.2" in manifest["options"]
    assert set(manifest["versions"]) == {"cvae-digits", "numpy", "onnxruntime"}
    for shard in manifest["shards"]:
        content = (tmp_path / shard["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == shard["sha256"]
        assert len(content) == shard["bytes"]
    card = (tmp_path / "README.md").read_text()
    assert "| train | 72 |" in card
    assert manifest["options"] in card


@pytest.mark.parametrize("form", FORMS)
def test_manifest_has_the_hash_of_all_that_is_large(tmp_path: Path, form: str) -> None:
    assert main([str(tmp_path), *SMALL, f"--format={form}"]) == 0
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    lines = b""
    for shard in manifest["shards"]:
        content = (tmp_path / shard["file"]).read_bytes()
        if form == "imagefolder":
            place = content.index(b"\n") + 1 + len(lines)
            lines += content[place : place + shard["bytes"]]
        else:
            place = shard.get("place", 0)
        part = content[place : place + shard["bytes"]]
        assert hashlib.sha256(part).hexdigest() == shard["sha256"]
    for file in manifest["files"]:
        content = (tmp_path / file["file"]).read_bytes()
        assert len(content) == file["bytes"]
        assert file.get("sha256", hashlib.sha256(content).hexdigest()) == (
            hashlib.sha256(content).hexdigest()
        )


def test_texts_of_a_file_are_drawn(tmp_path: Path) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("\ufeff007\r\n42\n")  # as an editor on Windows writes it
    assert main([str(tmp_path / "a.npz"), f"--texts={texts}", "--seed=7"]) == 0
    data = np.load(tmp_path / "a.npz")
    assert data["texts"].tolist() == ["007", "42"]
    assert data["images"].shape == (2, 28, 84)
    assert main([str(tmp_path / "b.npz"), f"--texts={texts}", "--seed=7", "--count=5"]) == 0
    assert np.load(tmp_path / "b.npz")["texts"].tolist() == ["007", "42", "007", "42", "007"]


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (["--format=idx", "--length=2", "--count=9"], 2, "length must be 1 for idx,"),
        (["--format=idx", "--count=9", "--boxes=on"], 2, "format idx holds neither writers nor"),
        (["--format=idx", "--count=9", "--split=a=1"], 2, "split must be train and test for idx"),
        (["--format=idx", "--count=1"], 2, "split leaves no picture for test"),
        (["--format=npz", "--count=9", "--split=a=0.5"], 2, "split must be different names with"),
        (["--format=npz", "--count=9", "--shard=3/3"], 2, "shard must be i/n with i from 0 to"),
        (["--format=npz", "--count=9", "--workers=0"], 2, "workers must be an integer from 1 to"),
        (["--format=npz", "--count=9", "--size=20x20"], 2, "size leaves 20x20 pixels for a number"),
        (["--format=npz"], 2, "count is required"),
        (["--format=npz", "--texts=/nowhere"], 2, "texts /nowhere cannot be read: No such file"),
        (["--format=npz", "--texts={texts}"], 2, "texts cannot be drawn: line 2 of {texts} is 'x'"),
        (
            ["--format=npz", "--texts={good}", "--length=3"],
            2,
            "length is for random numbers; leave it out where texts are given",
        ),
        (["--format=npz", "--count=4000000000", "--size=999x999"], 2, "count needs about 4391"),
        (["--format=npz", "--count=9", "--split=train=0.9,test=0.1", "--writers=1"], 2, "split "),
    ],
)
def test_folder_that_cannot_be_made_is_refused_before_the_first_picture(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    code: int,
    sentence: str,
) -> None:
    texts, good = tmp_path / "texts.txt", tmp_path / "good.txt"
    texts.write_text("1\nx\n")
    good.write_text("1\n")
    names = {"texts": texts, "good": good}
    words = [word.format(**names) for word in options]
    assert main([str(tmp_path / "out"), *words]) == code
    shown = capsys.readouterr().err
    assert shown.startswith(sentence.format(**names))
    assert shown.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_folder_that_holds_something_else_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert main([str(tmp_path), "--count=9", "--format=npz"]) == 2
    assert capsys.readouterr().err == (
        f"{tmp_path} holds other files; expected a new or empty folder, or the same data set. "
        "See --help.\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    folder = tmp_path / "data"
    assert main([str(folder), *SMALL, "--format=npz"]) == 0
    before = files_of(folder)
    assert main([str(folder), *SMALL, "--format=npz", "--gap=1"]) == 2
    assert "holds the data set count=90&seed=7&temperature=0.8-1.2" in capsys.readouterr().err
    assert files_of(folder) == before


def test_disk_that_is_too_small_is_found_before_the_first_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    room = shutil.disk_usage(tmp_path)._replace(free=10_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: room)
    outputs = {form: [f"--format={form}"] for form in FORMS} | {"a.npz": [], "a.zip": []}
    for name, options in outputs.items():
        assert main([str(tmp_path / name), "--count=1000", *options]) == 2
        assert "GB free. See --help." in capsys.readouterr().err
        assert not (tmp_path / name).exists()


@pytest.mark.parametrize("form", FORMS)
def test_large_pictures_and_long_texts_are_written(tmp_path: Path, form: str) -> None:
    """More than one batch in what is drawn to see how large the data set will be."""
    texts = tmp_path / "texts.txt"
    texts.write_text("31415926535897932384626433832795\n")
    length = ["--scale=16"] if form == "idx" else [f"--texts={texts}", "--scale=2"]
    assert main([str(tmp_path / "a"), f"--format={form}", "--count=70", "--seed=7", *length]) == 0
    manifest = json.loads((tmp_path / "a" / "manifest.json").read_text())
    assert manifest["images"] == 70


def test_large_file_is_refused_in_favour_of_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "a.npz"), "--count=1000001"]) == 2
    assert "needs a folder" in capsys.readouterr().err
