"""Pictures in arrays: an .npz file, or files in the IDX format of MNIST."""

import re
import zipfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray
from PIL import Image

from training.data.idx import read_idx
from training.data.images import DataError
from training.data.picture import WHITE, narrow, scale_of
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
QMNIST_COLUMNS = 8  # of its table of labels, whose first column is the label
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
        file = np.load(path, allow_pickle=False)
        if not isinstance(file, NpzFile):
            raise ValueError("it holds a single array, as an .npy file")
        with file:
            names = [str(name) for name in np.atleast_1d(file[NAMES])] if NAMES in file else []
            found = [
                (file[images], file[labels], part)
                for images, labels, part in ENTRIES
                if images in file and labels in file
            ]
            entries = ", ".join(file.files)
    except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(
            f"The file {path} cannot be read as .npz ({error}); save it with numpy.savez."
        ) from error
    if not found:
        pairs = ", ".join(f"{images} and {labels}" for images, labels, _ in ENTRIES)
        raise DataError(
            f"The file {path} has the arrays {entries or 'none'}, expected one or more of the "
            f"pairs {pairs}; save it with such names."
        )
    parts = [(images, _labels(path, labels), part) for images, labels, part in found]
    if names:
        _check_names(path, names, parts)
    return _source(path, "an .npz file", parts, dict(enumerate(names)))


def _check_names(path: Path, names: Sequence[str], parts: Sequence[Arrays]) -> None:
    """Check that every label has a name of its own."""
    numbers = [labels for _, labels, _ in parts if labels.dtype.kind in "iu"]
    highest = max((int(labels.max(initial=0)) for labels in numbers), default=0)
    lowest = min((int(labels.min(initial=0)) for labels in numbers), default=0)
    if len(set(names)) < len(names) or highest >= len(names) or lowest < 0:
        raise DataError(
            f"The file {path} has {len(set(names))} different {NAMES} for labels from {lowest} to "
            f"{highest}, expected one for each label from 0 on; give them all, and leave out "
            "pictures without a label."
        )


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
        found.append((images, _labels(labels, read_idx(labels)), part))
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
        scale = _scale(images)
        for index, label in enumerate(texts):
            open_it = partial(_image, images[index], scale)
            found.pictures.append(Picture(f"picture {index}", label, part, open_it))
    if names:
        found.labels = [names[label] for label in sorted(names)]
    return found


def _texts(
    path: Path, images: NDArray[np.generic], labels: NDArray[np.generic], names: dict[int, str]
) -> list[str]:
    """The name of the label of each picture."""
    coloured = images.ndim == COLOURED and images.shape[-1] in COLOURS
    known = (coloured or images.ndim == GREY) and images.dtype.kind in "uifb"
    if not known or 0 in images.shape[1:]:
        raise DataError(
            f"The images in {path} have the shape {images.shape} and type {images.dtype}, "
            "expected numbers of shape (N, H, W), or (N, H, W, C) with 1, 3 or 4 colours."
        )
    if len(images) != len(labels):
        raise DataError(
            f"The images in {path} do not fit their labels: found {len(images)} images and "
            f"{len(labels)} labels, expected the same number of both."
        )
    if labels.dtype.kind == "S":
        return [label.decode("utf-8", "replace").strip() for label in labels.tolist()]
    if labels.dtype.kind not in "iu":
        return [str(label).strip() for label in labels]
    return [names.get(int(label), str(int(label))) for label in labels]


def _labels(path: Path, labels: NDArray[np.generic]) -> NDArray[np.generic]:
    """The labels (N,) of one-hot rows, of QMNIST's table, or as they are.

    Raises:
        DataError: they are a table of another kind, or some are not numbers.
    """
    if labels.dtype.kind == "f":
        whole = np.isfinite(labels).all() and (labels == np.rint(labels)).all()
        if not whole:
            raise DataError(
                f"The labels in {path} are numbers that are not whole, expected whole numbers or "
                "texts; round them, or leave out the pictures without a label."
            )
        labels = labels.astype(np.int64)
    if labels.ndim != TABLE or labels.dtype.kind not in "iub" or labels.shape[1] == 1:
        return labels.reshape(-1)
    table = labels.astype(np.int64)
    if ((table == 0) | (table == 1)).all() and (table.sum(axis=1) == 1).all():
        places: NDArray[np.generic] = table.argmax(axis=1)
        return places
    if labels.shape[1] == QMNIST_COLUMNS:
        return table[:, 0]
    raise DataError(
        f"The labels in {path} have the shape {labels.shape}, expected one label for each picture, "
        "or one-hot rows; give the column with the label."
    )


def _scale(images: NDArray[np.generic]) -> float:
    """What brings the levels of all images to 8 bits; masks of 0 and 1 become black and white."""
    if images.dtype.kind != "f" and images.max(initial=0) <= 1:
        return WHITE
    return scale_of(images)


def _image(array: NDArray[np.generic], scale: float) -> Image.Image:
    """A picture (H, W) or (H, W, C) of any kind of numbers."""
    if array.shape[-1] == 1:
        array = array[..., 0]
    levels = array if array.dtype == np.uint8 and scale == 1 else narrow(array, scale)
    return Image.fromarray(np.ascontiguousarray(levels))
