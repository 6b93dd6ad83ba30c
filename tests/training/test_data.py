import os
import shutil
import socket
from pathlib import Path

import pytest
import torch

from tests.training.conftest import CPU, Mnist
from training.data import DataError, load_mnist

RAW = Path("MNIST", "raw")


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
    sentence = rf"^MNIST could be neither read from {tmp_path / RAW} nor .*, or connect to the .*$"
    with pytest.raises(DataError, match=sentence):
        load_mnist(tmp_path, train=True)


@pytest.mark.parametrize("size", [0, 10, 5000])
def test_load_mnist_truncated_images_raises(mnist_slice: Path, tmp_path: Path, size: int) -> None:
    raw = Path(shutil.copytree(mnist_slice, tmp_path / "data")) / RAW
    os.truncate(raw / "train-images-idx3-ubyte", size)
    with pytest.raises(DataError, match="MNIST could be neither read"):
        load_mnist(tmp_path / "data", train=True)


def test_load_mnist_images_without_their_labels_raises(mnist_slice: Path, tmp_path: Path) -> None:
    raw = Path(shutil.copytree(mnist_slice, tmp_path / "data")) / RAW
    shutil.copy(raw / "t10k-labels-idx1-ubyte", raw / "train-labels-idx1-ubyte")
    with pytest.raises(DataError, match="found 1000 images and 200 labels"):
        load_mnist(tmp_path / "data", train=True)
