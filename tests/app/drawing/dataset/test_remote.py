"""Data sets on other file systems: a local one of fsspec, and an S3 server on this machine."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.dataset import main
from app.drawing.dataset import remote

fsspec = pytest.importorskip("fsspec")
OPTIONS = ["--count=90", "--shard-size=20", "--seed=7", "--format=npz"]
BUCKET = "bucket"


def files_of(folder: Path) -> dict[str, bytes]:
    """The content of every file below a folder."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def stored(address: str, **options: object) -> dict[str, bytes]:
    """The content of every file below an address."""
    files, root = fsspec.core.url_to_fs(address, **options)
    files.invalidate_cache()
    return {name.removeprefix(f"{root}/"): files.cat_file(name) for name in files.find(root)}


@pytest.fixture
def local(tmp_path: Path) -> dict[str, bytes]:
    """The files of the same data set in a folder."""
    assert main([str(tmp_path / "local"), *OPTIONS]) == 0
    return files_of(tmp_path / "local")


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an empty bucket on an S3 server of this machine."""
    server = pytest.importorskip("moto.server")
    pytest.importorskip("s3fs")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    running = server.ThreadedMotoServer(port=0)
    running.start()
    host, port = running.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    files, _ = fsspec.core.url_to_fs("s3://")
    files.mkdir(BUCKET)
    yield f"s3://{BUCKET}"
    running.stop()


def test_folder_of_fsspec_has_the_files_of_a_local_one(
    tmp_path: Path, local: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    address = f"file://{tmp_path}/there"
    assert main([address, *OPTIONS, "--workers=2"]) == 0
    assert files_of(tmp_path / "there") == local
    assert main([address, *OPTIONS]) == 0  # nothing is left to do
    capsys.readouterr()
    assert main([address, *OPTIONS, "--length=2"]) == 2
    assert capsys.readouterr().err.startswith(f"{address} holds the data set count=90&")
    assert files_of(tmp_path / "there") == local


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_bucket_has_the_files_of_a_local_folder(bucket: str, local: dict[str, bytes]) -> None:
    for part in ("1/2", "0/2"):
        assert main([f"{bucket}/numbers", *OPTIONS, f"--shard={part}"]) == 0
    assert stored(f"{bucket}/numbers") == local


def test_run_that_ended_early_goes_on_where_it_was(
    local: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    real = remote.Remote.send

    def failing(self: remote.Remote, folder: Path, name: str) -> None:
        if len(sent) == 4:
            raise KeyboardInterrupt
        sent.append(name)
        real(self, folder, name)

    monkeypatch.setattr(remote.Remote, "send", failing)
    assert main(["memory://numbers", *OPTIONS]) == 130
    monkeypatch.setattr(remote.Remote, "send", real)
    half = stored("memory://numbers")
    assert set(half) == set(sent)
    assert "manifest.json" not in half
    again = [option for option in OPTIONS if "seed" not in option]
    assert main(["memory://numbers", *again]) == 0
    assert stored("memory://numbers") == local
    images = np.load(io.BytesIO(local["train-00000-of-00005.npz"]))["images"]
    assert images.shape == (20, 28, 28)


@pytest.mark.parametrize(
    ("address", "options", "code", "sentence"),
    [
        ("nowhere://a", [], 2, "nowhere://a cannot be opened: Protocol not known: nowhere; "),
        ("memory://a/digits.npz", [], 2, "memory://a/digits.npz has the ending of a file; "),
        ("memory://a", ["--format=idx"], 2, "format idx needs a local folder; npz, zip,"),
        ("memory://full", [], 2, "memory://full holds other files; expected a new or empty folder"),
        ("file:///proc/nowhere", [], 1, "file:///proc/nowhere cannot be written: "),
    ],
)
def test_folder_that_cannot_be_filled_is_refused_before_the_first_picture(
    capsys: pytest.CaptureFixture[str], address: str, options: list[str], code: int, sentence: str
) -> None:
    files, _ = fsspec.core.url_to_fs("memory://")
    files.pipe_file("/full/mine.txt", b"mine")
    assert main([address, *OPTIONS, *options]) == code
    shown = capsys.readouterr().err
    assert shown.startswith(sentence)
    assert shown.count("\n") == 1
