"""Pictures in arrays: an .npz file, or files in the IDX format of MNIST."""

import re
import zipfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.data.idx import read_idx
from training.data.images import DataError
from training.data.picture import narrow
from training.data.source import PARTS, TEST, TRAIN, Picture, Source

# The names of arrays in an .npz file: images, labels, part. Those that are there are read.
ENTRIES = (
    ("x_train", "y_train", TRAIN),
    ("x_test", "y_test", TEST),
    ("train_images", "train_labels", TRAIN),
    ("test_images", "test_labels", TEST),
    ("images", "labels", None),
    ("x", "y", None),
)
NAMES = "label_names"  # an optional array of texts
IMAGES_FILE = re.compile(r"(.*)images[-.]?(idx\d)?(-ubyte)?(\.idx\d?)?(\.gz)?", re.IGNORECASE)
COLOURS = (1, 3, 4)  # sizes of a last dimension that holds colours
GREY, COLOURED, TABLE = 3, 4, 2  # dimensions of grey images, coloured ones, and of label tables
Arrays = tuple[NDArray[np.generic], NDArray[np.generic], str | None]


def read_npz(path: Path) -> Source:
    """The pictures of an .npz file.

    Raises:
        DataError: the file is damaged, or has no images with labels.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            names = [str(name) for name in file[NAMES]] if NAMES in file else []
            found = [
                (file[images], file[labels], part)
                for images, labels, part in ENTRIES
                if images in file and labels in file
            ]
            entries = ", ".join(file.files)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(f"The file {path} cannot be read as .npz ({error}).") from error
    if not found:
        pairs = ", ".join(f"{images} and {labels}" for images, labels, _ in ENTRIES)
        raise DataError(
            f"The file {path} has the arrays {entries or 'none'}, expected one or more of the "
            f"pairs {pairs}; save it with such names."
        )
    return _source(path, "an .npz file", found, dict(enumerate(names)))


def find_idx(folder: Path) -> list[Path]:
    """The files of images of IDX in a folder; empty if there are none."""
    return sorted(path for path in folder.iterdir() if IMAGES_FILE.fullmatch(path.name))


def read_idx_folder(folder: Path) -> Source:
    """The pictures of the IDX files in a folder.

    The files of EMNIST, whose names begin with it, hold their pictures transposed, and the codes of
    their characters in a file of their own.

    Raises:
        DataError: a file is damaged, or has no labels.
    """
    found, names = [], dict[int, str]()
    for path in find_idx(folder):
        labels = _labels_of(path)
        images = read_idx(path)
        if path.name.lower().startswith("emnist"):
            images = np.swapaxes(images, 1, 2)
            names = names or _emnist_names(path)
        words = re.split(r"[^a-z0-9]+", path.name.lower())
        part = next((PARTS[word] for word in words if word in PARTS), None)
        found.append((images, read_idx(labels), part))
    return _source(folder, "IDX files", found, names)


def _labels_of(path: Path) -> Path:
    start = re.sub("images.*", "labels", path.name, flags=re.IGNORECASE)
    found = [other for other in sorted(path.parent.iterdir()) if other.name.startswith(start)]
    if not found:
        raise DataError(
            f"The file {path} has no labels: found no file that begins with {start} beside it; "
            "put it there."
        )
    return found[0]


def _emnist_names(path: Path) -> dict[int, str]:
    """The characters of the labels, from a file of lines with a label and codes; lower case."""
    start = re.split("-(?:train|test)", path.name)[0]
    mapping = path.with_name(f"{start}-mapping.txt")
    if not mapping.is_file():
        return {}
    try:
        lines = [[int(word) for word in line.split()] for line in mapping.read_text().splitlines()]
        # Letters of both cases have one label there: an upper-case code, then a lower-case one.
        return {line[0]: chr(line[-1]) for line in lines if line}
    except (ValueError, OverflowError, IndexError) as error:
        raise DataError(
            f"The file {mapping} cannot be used ({error}), expected lines with a label and the "
            "codes of its characters; get it again."
        ) from error


def _source(path: Path, layout: str, parts: Sequence[Arrays], names: dict[int, str]) -> Source:
    found = Source(layout)
    for images, labels, part in parts:
        texts = _texts(path, images, labels, names)
        for index, label in enumerate(texts):
            open_it = partial(_image, images[index])
            found.pictures.append(Picture(f"picture {index}", label, part, open_it))
    if names:
        found.labels = [names[label] for label in sorted(names)]
    return found


def _texts(
    path: Path, images: NDArray[np.generic], labels: NDArray[np.generic], names: dict[int, str]
) -> list[str]:
    """The name of the label of each picture."""
    if labels.ndim == TABLE and labels.dtype.kind in "iu":
        labels = labels[:, 0]  # of QMNIST and others: the first column is the label
    labels = labels.reshape(-1)
    coloured = images.ndim == COLOURED and images.shape[-1] in COLOURS
    if not (coloured or images.ndim == GREY) or images.dtype.kind not in "uif":
        raise DataError(
            f"The images in {path} have the shape {images.shape} and type {images.dtype}, "
            "expected numbers of shape (N, H, W), or (N, H, W, C) with 1, 3 or 4 colours."
        )
    if len(images) != len(labels):
        raise DataError(
            f"The images in {path} do not fit their labels: found {len(images)} images and "
            f"{len(labels)} labels, expected the same number of both."
        )
    if labels.dtype.kind not in "iu":
        return [str(label).strip() for label in labels]
    return [names.get(int(label), str(int(label))) for label in labels]


def _image(array: NDArray[np.generic]) -> Image.Image:
    """A picture (H, W) or (H, W, C) of any kind of numbers."""
    if array.shape[-1] == 1:
        array = array[..., 0]
    levels = array if array.dtype == np.uint8 else narrow(array)
    return Image.fromarray(np.ascontiguousarray(levels))
