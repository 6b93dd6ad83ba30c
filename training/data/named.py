"""The data sets that have a name, read by torchvision: right side up, with their label names."""

import string
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision import datasets

from training.data.idx import fault
from training.data.images import DataError, DataSet, LabelledImages
from training.data.picture import Grey, Rules, square

DIGITS = tuple(string.digits)
SIDE = 28
TURNED = ("emnist-letters", "emnist-balanced")  # stored transposed, also as torchvision reads them


@dataclass(frozen=True)
class NamedSet:
    """A data set of torchvision."""

    title: str
    subject: str
    about: str
    label_names: tuple[str, ...]
    open: Callable[[str, bool], Any]  # folder, whether the training part -> data and targets
    folder: str  # of its files, in the folder of data
    first_label: int = 0  # the number of the first label in its files


def _about(where: str, draws: str = "styles, characters or sizes") -> str:
    return f"The model was trained on {where}. It draws no other {draws}."


CLOTHES = (
    *("t-shirt", "trouser", "pullover", "dress", "coat"),
    *("sandal", "shirt", "sneaker", "bag", "boot"),
)
# The characters of EMNIST "balanced": lower-case letters that look as their capitals are merged.
BALANCED = tuple(string.digits + string.ascii_uppercase + "abdefghnqrt")
NAMED = {
    "mnist": NamedSet(
        "MNIST",
        "handwritten digits",
        "For demonstration and teaching. The model was trained on the handwriting of American "
        "census\nemployees and high school students of the early 1990s. It draws no other styles, "
        "characters or\nsizes.",
        DIGITS,
        lambda root, train: datasets.MNIST(root, train, download=True),
        "MNIST/raw",
    ),
    "fashion-mnist": NamedSet(
        "Fashion-MNIST",
        "clothes",
        _about("small pictures of articles of the shop Zalando, from before 2017", "articles"),
        CLOTHES,
        lambda root, train: datasets.FashionMNIST(root, train, download=True),
        "FashionMNIST/raw",
    ),
    "kmnist": NamedSet(
        "Kuzushiji-MNIST",
        "cursive hiragana",
        _about("characters cut from Japanese books of the 18th century"),
        ("お", "き", "す", "つ", "な", "は", "ま", "や", "れ", "を"),
        lambda root, train: datasets.KMNIST(root, train, download=True),
        "KMNIST/raw",
    ),
    "emnist-letters": NamedSet(
        "EMNIST Letters",
        "handwritten letters",
        _about(
            "letters in the handwriting of American census employees and high school students of "
            "the early 1990s; capital and small letters share a label"
        ),
        tuple(string.ascii_lowercase),
        lambda root, train: datasets.EMNIST(root, "letters", train=train, download=True),
        "EMNIST/raw",
        first_label=1,
    ),
    "emnist-balanced": NamedSet(
        "EMNIST Balanced",
        "handwritten digits and letters",
        _about(
            "digits and letters in the handwriting of American census employees and high school "
            "students of the early 1990s; small letters that look as their capitals share a label "
            "with them"
        ),
        BALANCED,
        lambda root, train: datasets.EMNIST(root, "balanced", train=train, download=True),
        "EMNIST/raw",
    ),
    "qmnist": NamedSet(
        "QMNIST",
        "handwritten digits",
        _about(
            "the training digits of MNIST, made again from their source, the handwriting of "
            "American census employees and high school students of the early 1990s"
        ),
        DIGITS,
        lambda root, train: datasets.QMNIST(root, train=train, download=True),
        "QMNIST/raw",
    ),
    "usps": NamedSet(
        "USPS",
        "handwritten digits",
        _about("digits of postal codes on American envelopes, scanned at 16 x 16 pixels"),
        DIGITS,
        lambda root, train: datasets.USPS(root, train, download=True),
        "",
    ),
}


def load_named(name: str, data_dir: Path, size: int = SIDE) -> DataSet:
    """The data set `name` in `data_dir`, downloaded if it is missing.

    Args:
        name: a key of `NAMED`.
        data_dir: the folder that holds its folder, as torchvision has it.
        size: side of the pictures; others are resized.
    Raises:
        DataError: the images can be neither read nor downloaded.
    """
    named = NAMED[name]
    train, test = (_load(name, data_dir, part, size) for part in (True, False))
    return DataSet(named.title, named.subject, named.about, named.label_names, train, test)


def load_mnist(data_dir: Path, train: bool) -> LabelledImages:
    """The training or test images in `data_dir`/MNIST/raw, downloaded if they are missing.

    Raises:
        DataError: the images can be neither read nor downloaded.
    """
    return _load("mnist", data_dir, train, SIDE)


def about_named(title: str) -> tuple[str, str] | None:
    """Subject and origin of the data set with this title; None for any other."""
    found = [named for named in NAMED.values() if named.title == title]
    return (found[0].subject, found[0].about) if found else None


def _load(name: str, data_dir: Path, train: bool, size: int) -> LabelledImages:
    named = NAMED[name]
    raw = data_dir / named.folder
    _check_files(named, raw, train)
    existed = [folder for folder in (raw, raw.parent) if folder.exists()]
    try:
        raw.mkdir(parents=True, exist_ok=True)
        data = named.open(str(data_dir), train)
    except Exception as error:  # of network, disk or format, without a common base
        _remove_empty(raw, existed)
        raise DataError(
            f"{named.title} could be neither read from {raw} nor downloaded into it "
            f"({_short(error)}); pass --data-dir with a folder that contains the files "
            f"{named.folder + '/*' if named.folder else 'usps.bz2 and usps.t.bz2'}, connect to the "
            "network and run the command again, or pass --images with a folder of pictures of your "
            "own."
        ) from error
    images = torch.as_tensor(np.asarray(data.data))
    labels = torch.as_tensor(np.asarray(data.targets)).long()
    labels = (labels[:, 0] if labels.ndim > 1 else labels) - named.first_label
    if len(images) != len(labels) or len(images) == 0:
        raise DataError(
            f"{named.title} in {data_dir} is damaged: found {len(images)} images and "
            f"{len(labels)} labels, expected the same number of both; "
            "remove the folder and run the command again to download it."
        )
    if name in TURNED:
        images = images.transpose(1, 2).contiguous()
    return LabelledImages(_resized(images, size), labels)


def _resized(images: Tensor, size: int) -> Tensor:
    """Images (N, H, W) uint8 with light ink as (N, size, size)."""
    if images.shape[1:] == (size, size):
        return images
    rules = Rules(size=size, polarity="light-ink")
    resized = [square(Grey(image), rules, dark_ink=False) for image in images.numpy()]
    return torch.from_numpy(np.stack(resized))


def _check_files(named: NamedSet, raw: Path, train: bool) -> None:
    """Check the files in IDX format that are there, which torchvision reads as they are.

    Raises:
        DataError: a file is damaged, or is another one.
    """
    names = [f"{'train' if train else 't10k'}-images-idx3-ubyte"]
    names.append(f"{'train' if train else 't10k'}-labels-idx1-ubyte")
    if named.folder.startswith("EMNIST"):
        start = f"emnist-{named.title.split()[1].lower()}-{'train' if train else 'test'}"
        names = [f"{start}-images-idx3-ubyte", f"{start}-labels-idx1-ubyte"]
    for name in names:
        path = raw / name
        if path.exists() and (found := _fault(path, named)):
            last = named.first_label + len(named.label_names) - 1
            expected = (
                f"images of {SIDE} x {SIDE} bytes"
                if "images" in name
                else f"labels from {named.first_label} to {last}"
            )
            raise DataError(
                f"The {named.title} file {path} cannot be used: found {found}, expected the "
                f"{expected} of the original; remove it and run the command again, which downloads "
                f"it, or, if these are other pictures, pass --images {raw}."
            )


def _fault(path: Path, named: NamedSet) -> str | None:
    """What is wrong with a file of images or labels in bytes; None if nothing is."""
    if not path.is_file():
        return "something else than a file"
    content = path.read_bytes()
    dimensions = 3 if "images" in path.name else 1
    if content[:4] != bytes([0, 0, 8, dimensions]):
        return f"a file that begins with {content[:4].hex() or 'nothing'}"
    if dimensions > 1 and content[8:16] != SIDE.to_bytes(4, "big") * 2:
        height, width = (int.from_bytes(content[at : at + 4], "big") for at in (8, 12))
        return f"images of {height} x {width}"
    if found := fault(content):
        return found
    highest = max(content[8:]) if dimensions == 1 else 0
    if highest >= named.first_label + len(named.label_names):
        return f"the label {highest}"
    return None


def _remove_empty(raw: Path, existed: list[Path]) -> None:
    """Remove the folders that were made for a download that failed."""
    for folder in (raw, raw.parent):
        if folder not in existed and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _short(error: Exception) -> str:
    """The type and the first line of an error."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0].rstrip(':')}" if lines else type(error).__name__
