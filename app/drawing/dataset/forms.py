"""The forms of a data set in a folder: where the pieces of its shards go, and what ends it."""

import csv
import hashlib
import struct
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Protocol

from app.drawing.dataset.encoder import (
    Encoder,
    csv_lines,
    encode_pngs,
    file_name,
    label_names,
    label_values,
)
from app.drawing.dataset.files import Piece, write_into, write_small, write_whole
from app.drawing.dataset.plan import Shard
from app.drawing.dataset.section import Batch, Section
from app.drawing.dataset.stream import ENCODERS
from app.request.dataset import ENDINGS
from app.request.ranges import Size

UNSIGNED_BYTE = 8  # the type of the values of an IDX file
IMAGES, LABELS = "images-idx3-ubyte", "labels-idx1-ubyte"
INCOMPLETE = ".incomplete"  # a folder in that of a data set, while something is missing
IDX_NAMES = {"train": "train", "test": "t10k"}  # of MNIST
IDX_FOLDER = Path("MNIST", "raw")  # where torchvision looks


class Form(Protocol):
    """A form of a data set in a folder."""

    def prepare(self, folder: Path, shards: Sequence[Shard]) -> None:
        """What precedes the shards; may be done again."""

    def encoder(self, folder: Path, shard: Shard) -> Encoder:
        """What makes the pieces of a shard."""

    def target(self, folder: Path, shard: Shard) -> tuple[Path, int | None]:
        """The file of these pieces, and their place in it; None: they are the whole file."""

    def name(self, shard: Shard) -> str:
        """The file of a finished folder that has these pieces."""

    def facts(self, encoder: Encoder) -> dict[str, str]:
        """What the record of a shard has beyond its pieces, once its encoder has made them."""

    def finish(self, folder: Path, shards: Sequence[Shard]) -> list[Path]:
        """What follows the shards; the files that it made."""


class FileForm:
    """Each shard is a file of the form with that name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def prepare(self, folder: Path, shards: Sequence[Shard]) -> None:
        """See `Form.prepare`."""

    def encoder(self, folder: Path, shard: Shard) -> Encoder:  # noqa: ARG002 - see Form
        """See `Form.encoder`."""
        return ENCODERS[self._name](shard.section)

    def target(self, folder: Path, shard: Shard) -> tuple[Path, int | None]:
        """See `Form.target`."""
        return folder / self.name(shard), None

    def name(self, shard: Shard) -> str:
        """See `Form.name`."""
        return f"{shard.name}.{ENDINGS[self._name]}"

    def facts(self, encoder: Encoder) -> dict[str, str]:  # noqa: ARG002
        """See `Form.facts`."""
        return {}

    def finish(self, folder: Path, shards: Sequence[Shard]) -> list[Path]:  # noqa: ARG002
        """See `Form.finish`."""
        return []


class IdxForm:
    """The four files of MNIST, for `torchvision.datasets.MNIST(folder)`.

    Big-endian: two zero bytes, the type, the number of dimensions, each dimension as 32 bits;
    then the values.
    """

    def prepare(self, folder: Path, shards: Sequence[Shard]) -> None:
        """See `Form.prepare`. Makes files of the final size, which shards fill in any order."""
        (folder / IDX_FOLDER).mkdir(parents=True, exist_ok=True)
        for split, (count, canvas) in _sizes(shards).items():
            images = struct.pack(">2xBB3I", UNSIGNED_BYTE, 3, count, canvas.height, canvas.width)
            labels = struct.pack(">2xBBI", UNSIGNED_BYTE, 1, count)
            _make(folder, split, IMAGES, images, count * canvas.height * canvas.width)
            _make(folder, split, LABELS, labels, count)

    def encoder(self, folder: Path, shard: Shard) -> Encoder:
        """See `Form.encoder`."""
        return _IdxEncoder(_part(folder, shard.split, LABELS), shard)

    def target(self, folder: Path, shard: Shard) -> tuple[Path, int | None]:
        """See `Form.target`."""
        canvas = shard.section.canvas
        place = struct.calcsize(">2xBB3I") + shard.offset * canvas.height * canvas.width
        return _part(folder, shard.split, IMAGES), place

    def name(self, shard: Shard) -> str:
        """See `Form.name`."""
        return str(_whole(Path(), shard.split, IMAGES))

    def facts(self, encoder: Encoder) -> dict[str, str]:  # noqa: ARG002
        """See `Form.facts`."""
        return {}

    def finish(self, folder: Path, shards: Sequence[Shard]) -> list[Path]:
        """See `Form.finish`. Gives the files their names."""
        files = []
        for split in dict.fromkeys(shard.split for shard in shards):
            for kind in (IMAGES, LABELS):
                files.append(_whole(folder, split, kind))
                if not files[-1].exists():  # it does after an interruption right here
                    _part(folder, split, kind).replace(files[-1])
        return files


class ImageFolderForm:
    """A folder for each split: PNG files, `metadata.csv` for `datasets`, `gt.txt` for OCR trainers.

    The files of one digit are in a folder of its name, as `torchvision.datasets.ImageFolder` reads
    them; those of several in a folder for each shard.
    """

    def prepare(self, folder: Path, shards: Sequence[Shard]) -> None:
        """See `Form.prepare`."""

    def encoder(self, folder: Path, shard: Shard) -> Encoder:
        """See `Form.encoder`."""
        return _ImageFolderEncoder(folder / shard.split, shard)

    def target(self, folder: Path, shard: Shard) -> tuple[Path, int | None]:
        """See `Form.target`. The pieces are the lines of the table."""
        return folder / INCOMPLETE / f"{shard.name}.csv", None

    def name(self, shard: Shard) -> str:
        """See `Form.name`."""
        return f"{shard.split}/metadata.csv"

    def facts(self, encoder: Encoder) -> dict[str, str]:
        """See `Form.facts`. The SHA-256 of the PNG files in the order of the lines."""
        assert isinstance(encoder, _ImageFolderEncoder)
        return {"pictures_sha256": encoder.digest.hexdigest()}

    def finish(self, folder: Path, shards: Sequence[Shard]) -> list[Path]:
        """See `Form.finish`. Joins the tables of the shards."""
        files = []
        for split in dict.fromkeys(shard.split for shard in shards):
            own = [shard for shard in shards if shard.split == split]
            tables = [self.target(folder, shard)[0] for shard in own]
            head = csv_lines([[name] for name in ("file_name", *label_names(own[0].section))])
            files += [folder / split / "metadata.csv", folder / split / "gt.txt"]
            write_whole(files[-2], chain([head.encode()], map(Path.read_bytes, tables)))
            write_whole(files[-1], (_tabbed(table.read_text()) for table in tables))
        return files


FORMS: dict[str, Form] = {
    **{name: FileForm(name) for name in ENCODERS},
    "idx": IdxForm(),
    "imagefolder": ImageFolderForm(),
}


class _IdxEncoder:
    """The pixels of a shard; writes its labels in their file by itself."""

    def __init__(self, labels: Path, shard: Shard) -> None:
        self._labels, self._shard = labels, shard

    def begin(self) -> bytes:
        """See `Encoder.begin`."""
        place = struct.calcsize(">2xBBI") + self._shard.offset
        write_into(self._labels, place, [self._shard.section.labels.digits.tobytes()])
        return b""

    def add(self, batch: Batch) -> Piece:
        """See `Encoder.add`."""
        return batch.sheets.levels

    def end(self) -> bytes:
        """See `Encoder.end`."""
        return b""


class _ImageFolderEncoder:
    """Writes the PNG files of a shard; its bytes are the lines of the table.

    Attributes:
        digest: of the PNG files so far, one after the other.
    """

    def __init__(self, folder: Path, shard: Shard) -> None:
        self.digest = hashlib.sha256()
        self._folder, self._section = folder, shard.section
        self._shard_name = f"{shard.index:05d}"

    def begin(self) -> bytes:
        """See `Encoder.begin`."""
        section = self._section
        for name in set(_folders(section, section.labels.texts(), self._shard_name)):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        return b""

    def add(self, batch: Batch) -> bytes:
        """See `Encoder.add`."""
        folders = _folders(self._section, batch.labels.texts(), self._shard_name)
        names = [f"{name}/{row:010d}.png" for row, name in enumerate(folders, batch.first)]
        pictures = encode_pngs(self._section, batch)
        write_small(self._folder, names, pictures)
        self.digest.update(b"".join(pictures))
        return csv_lines([names, *label_values(self._section, batch)]).encode()

    def end(self) -> bytes:
        """See `Encoder.end`."""
        return b""


def _folders(section: Section, texts: list[str], shard_name: str) -> list[str]:
    """The folder of each picture: its digit, or the shard."""
    return list(map(file_name, texts)) if section.longest == 1 else [shard_name] * len(texts)


def _make(folder: Path, split: str, kind: str, head: bytes, size: int) -> None:
    """Make a file of `size` bytes after its head, unless it is complete already."""
    if _whole(folder, split, kind).exists():
        return
    part = _part(folder, split, kind)
    with part.open("ab") as file:
        file.truncate(len(head) + size)
    write_into(part, 0, [head])


def _whole(folder: Path, split: str, kind: str) -> Path:
    return folder / IDX_FOLDER / f"{IDX_NAMES[split]}-{kind}"


def _part(folder: Path, split: str, kind: str) -> Path:
    """The file while it is not complete."""
    return folder / IDX_FOLDER / f".{IDX_NAMES[split]}-{kind}.part"


def _sizes(shards: Sequence[Shard]) -> dict[str, tuple[int, Size]]:
    """The number of pictures of each split, and their size."""
    last = {shard.split: shard for shard in shards}
    return {
        split: (shard.offset + shard.section.count, shard.section.canvas)
        for split, shard in last.items()
    }


def _tabbed(table: str) -> bytes:
    """The first two cells of the lines of a table, with a tab between."""
    if '"' not in table and table.count(",") == table.count("\n"):  # no others, and none is quoted
        return table.replace(",", "\t").encode()
    rows = csv.reader(table.splitlines())
    return "".join([f"{row[0]}\t{row[1]}\n" for row in rows]).encode()
