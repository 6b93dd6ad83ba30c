"""Pictures in a folder: a folder per label, or the metadata.csv of Hugging Face."""

import csv
import os
import unicodedata
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from PIL import Image

from training.data.images import DataError
from training.data.source import PARTS, Picture, Source, natural

ENDINGS = {
    *(".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff"),
    *(".webp", ".pgm", ".pbm", ".ppm"),
}
METADATA = "metadata.csv"
LABEL_COLUMNS = ("label", "text", "class")  # the first that there is
OUTSIDE = "are links out of the folder"  # what links are left out for
OTHER = "do not have the name of a picture"


def read_folder(root: Path) -> Source:
    """The pictures of a folder, or of its parts `train`, `test` and `validation`.

    A metadata.csv in the folder itself names the pictures of all parts.

    Raises:
        DataError: there is no labelled picture, or metadata.csv cannot be read.
    """
    parts = [path for path in _visible(root) if path.is_dir() and path.name.lower() in PARTS]
    found = Source(METADATA if _uses_metadata(root, parts) else "a folder per label")
    if (root / METADATA).is_file():
        parts = []
    places: list[tuple[Path, str | None]] = [(path, PARTS[path.name.lower()]) for path in parts]
    if places:
        _count_beside(root, parts, found)
    for folder, part in places or [(root, None)]:
        if (folder / METADATA).is_file():
            _read_metadata(folder, part, found)
        else:
            _read_label_folders(folder, part, found, root)
    return found


def _uses_metadata(root: Path, parts: list[Path]) -> bool:
    return any((folder / METADATA).is_file() for folder in (root, *parts))


def _count_beside(root: Path, parts: list[Path], found: Source) -> None:
    """Count what is left out because a folder beside it has the name of a part."""
    others = [path for path in _visible(root) if path.is_dir() and path not in parts]
    count = sum(len(list(_files(path, Source("")))) for path in others)
    if count:
        found.left_out[
            f"lie beside the folder {parts[0].name}, which is a part of the pictures "
            "unless it is renamed"
        ] += count


def _read_label_folders(folder: Path, part: str | None, found: Source, root: Path) -> None:
    labels = found.labels = found.labels or []
    for path in _visible(folder):
        if path.is_dir():
            if not _inside(path, root):
                found.left_out[OUTSIDE] += 1
                continue
            label = unicodedata.normalize("NFC", path.name).strip()
            if label not in labels:
                labels.append(label)
            for file in _files(path, found):
                _add(found, file, label, part, root)
        elif path.suffix.lower() in ENDINGS:
            found.left_out[f"lie directly in {folder.name}, which gives them no label"] += 1
    labels.sort(key=natural)


def _read_metadata(folder: Path, part: str | None, found: Source) -> None:
    path = folder / METADATA
    try:
        with path.open(newline="", encoding="utf-8-sig") as text:
            reader = csv.DictReader(text)
            columns = list(reader.fieldnames or [])
            lines = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"The file {path} cannot be read as CSV ({error}); save it as CSV in UTF-8."
        ) from error
    column = next((name for name in LABEL_COLUMNS if name in columns), None)
    if "file_name" not in columns or column is None:
        raise DataError(
            f"The file {path} has the columns {', '.join(columns) or 'none'}, expected file_name "
            f"and one of {', '.join(LABEL_COLUMNS)}; name them so in its first line."
        )
    for line in lines:
        label = unicodedata.normalize("NFC", line[column] or "").strip()
        name, given = line["file_name"] or "", (line.get("split") or "").lower()
        file, first = folder / name, name.partition("/")[0].lower()
        if not label:
            found.left_out[f"have no label in {METADATA}"] += 1
        elif not file.is_file() and not file.is_symlink():
            found.left_out[f"are named in {METADATA} and do not exist"] += 1
        else:
            _add(found, file, label, PARTS.get(given, PARTS.get(first, part)), folder)


def _add(found: Source, file: Path, label: str, part: str | None, root: Path) -> None:
    if not _inside(file, root):
        found.left_out[OUTSIDE] += 1
    else:
        name = os.path.relpath(file, root)
        found.pictures.append(Picture(name, label, part, partial(Image.open, file)))


def _files(folder: Path, found: Source) -> Iterator[Path]:
    """The picture files of a folder and of those below it, in order."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        found.left_out["are linked folders, which are not entered"] += len(links)
        for name in sorted(names):
            if name.startswith("."):
                continue
            if Path(name).suffix.lower() in ENDINGS:
                yield Path(parent) / name
            else:
                found.left_out[OTHER] += 1


def _inside(path: Path, root: Path) -> bool:
    return path.resolve().is_relative_to(root.resolve())


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith((".", "__")))
