import math
import os
import shutil
import socket
from pathlib import Path
from typing import get_args

import pytest
import torch

from tests.training.conftest import CPU, Mnist
from training.config import DataOptions
from training.data import DataError, load_mnist
from training.data.named import NAMED, load_named

RAW = Path("MNIST", "raw")
IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("Network is unreachable")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


def test_load_mnist_reads_disjoint_images_with_labels(mnist: Mnist) -> None:
    for part, count in zip(mnist, (1000, 200), strict=True):
        assert part.images.shape == (count, 28, 28)
        assert part.images.dtype == torch.uint8
        assert set(part.labels.tolist()) == set(range(10))
    train, test = ({image.numpy().tobytes() for image in part.images} for part in mnist)
    assert not train & test


def test_batch_has_float_images_from_0_to_1_and_their_labels(mnist: Mnist) -> None:
    images, labels = mnist[0].batch(torch.tensor([3, 1]), CPU)
    assert images.dtype == torch.float32
    assert (images.min().item(), images.max().item()) == (0, 1)
    assert labels.tolist() == mnist[0].labels[[3, 1]].tolist()


@pytest.mark.usefixtures("no_network")
def test_load_mnist_without_data_and_network_raises(tmp_path: Path) -> None:
    sentence = (
        rf"^MNIST could be neither read from {tmp_path / RAW} nor .*, connect to the .*--images"
    )
    with pytest.raises(DataError, match=sentence):
        load_mnist(tmp_path, train=True)
    assert not list(tmp_path.iterdir()), "nothing is left of a download that failed"


@pytest.mark.parametrize("size", [0, 10, 5000])
def test_load_mnist_truncated_images_raises(mnist_slice: Path, tmp_path: Path, size: int) -> None:
    raw = Path(shutil.copytree(mnist_slice, tmp_path / "data")) / RAW
    os.truncate(raw / "train-images-idx3-ubyte", size)
    with pytest.raises(DataError, match="train-images-idx3-ubyte cannot be used: found"):
        load_mnist(tmp_path / "data", train=True)


def idx(*sizes: int, content: bytes | None = None, kind: int = 8) -> bytes:
    """A file in the IDX format."""
    head = bytes([0, 0, kind, len(sizes)]) + b"".join(size.to_bytes(4, "big") for size in sizes)
    return head + (bytes(math.prod(sizes)) if content is None else content)


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        (IMAGES, b"", "a file that begins with nothing"),
        (IMAGES, b"PK\3\4" + bytes(100), "a file that begins with 504b0304"),
        (IMAGES, idx(10), "a file that begins with 00000801"),
        (IMAGES, idx(10, 28, 28, kind=13), "a file that begins with 00000d03"),
        (IMAGES, idx(10, 32, 32), "images of 32 x 32"),
        (IMAGES, idx(10, 28, 28)[:-1], "7839 bytes of data, where its head announces 7840"),
        (IMAGES, idx(10, 28, 28) + b"x", "7841 bytes of data, where its head announces 7840"),
        (IMAGES, idx(0, 28, 28), "0 bytes of data"),
        (IMAGES, idx(2**31, 28, 28, content=b""), "0 bytes of data"),
        (LABELS, idx(3, content=b"\1\x0a\2"), "the label 10"),
        (LABELS, idx(1000)[:500], "492 bytes of data, where its head announces 1000"),
    ],
)
def test_load_mnist_with_another_file_names_it_and_helps(
    mnist_slice: Path, tmp_path: Path, name: str, content: bytes, found: str
) -> None:
    raw = Path(shutil.copytree(mnist_slice, tmp_path / "data")) / RAW
    (raw / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        load_mnist(tmp_path / "data", train=True)
    assert f"The MNIST file {raw / name} cannot be used: found {found}" in str(caught.value)
    assert "remove it and run the command again" in str(caught.value)


def test_load_mnist_with_a_folder_in_place_of_a_file_raises(
    mnist_slice: Path, tmp_path: Path
) -> None:
    raw = Path(shutil.copytree(mnist_slice, tmp_path / "data")) / RAW
    (raw / LABELS).unlink()
    (raw / LABELS).mkdir()
    with pytest.raises(DataError, match=f"{LABELS} cannot be used: found something else"):
        load_mnist(tmp_path / "data", train=True)


def test_load_mnist_images_without_their_labels_raises(mnist_slice: Path, tmp_path: Path) -> None:
    raw = Path(shutil.copytree(mnist_slice, tmp_path / "data")) / RAW
    shutil.copy(raw / "t10k-labels-idx1-ubyte", raw / "train-labels-idx1-ubyte")
    with pytest.raises(DataError, match="found 1000 images and 200 labels"):
        load_mnist(tmp_path / "data", train=True)


def write_idx(folder: Path, name: str, images: torch.Tensor, labels: torch.Tensor) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    sizes = images.shape
    (folder / f"{name}-images-idx3-ubyte").write_bytes(
        idx(*sizes, content=images.numpy().tobytes())
    )
    content = labels.to(torch.uint8).numpy().tobytes()
    (folder / f"{name}-labels-idx1-ubyte").write_bytes(idx(len(labels), content=content))


def test_named_sets_are_those_of_the_option() -> None:
    assert tuple(NAMED) == get_args(DataOptions.model_fields["dataset"].annotation)
    for named in NAMED.values():
        assert len(set(named.label_names)) == len(named.label_names)
        assert all(named.label_names)


def test_emnist_letters_are_right_side_up_and_named(tmp_path: Path) -> None:
    """A set of our own in its form: pictures are transposed there, and labels begin with 1."""
    upright = torch.zeros(26, 28, 28, dtype=torch.uint8)
    upright[:, 3, 5:20] = 255  # a bar at the top
    labels = torch.arange(1, 27)
    for part in ("train", "test"):
        turned = upright.transpose(1, 2).contiguous()
        write_idx(tmp_path / "EMNIST" / "raw", f"emnist-letters-{part}", turned, labels)
    data = load_named("emnist-letters", tmp_path)
    assert torch.equal(data.train.images, upright)
    assert data.label_names == tuple("abcdefghijklmnopqrstuvwxyz")
    assert data.test.labels.tolist() == list(range(26))
    assert "American" in data.about


def test_fashion_has_words_as_labels_and_says_nothing_of_mnist(
    mnist_slice: Path, tmp_path: Path
) -> None:
    shutil.copytree(mnist_slice / "MNIST", tmp_path / "FashionMNIST")
    data = load_named("fashion-mnist", tmp_path, size=32)
    assert data.label_names[6] == "shirt"
    assert data.train.images.shape == (1000, 32, 32)
    assert data.name == "Fashion-MNIST"
    assert "handwriting" not in data.about
