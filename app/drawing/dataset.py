"""Labelled digits in bulk, written piece by piece: any number of them in the same memory."""

import io
import zipfile
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from app.drawing.canvas import stitch
from app.drawing.encoding import encode_png
from app.telemetry.counters import COMPOSE, ENCODE, NOISE
from app.request.schemas import CELL, DatasetQuery, hand_share, line_width
from app.drawing.renderer import Studio, labels_of

MEDIA_TYPES = {"npz": "application/octet-stream", "zip": "application/zip"}
BATCH = 128  # pictures drawn at a time
DATE = (1980, 1, 1, 0, 0, 0)  # the earliest a ZIP can say: the same request gives the same bytes
LABEL_STREAM = 1  # of the random numbers of a seed


class _Outbox(io.RawIOBase):
    """A file that can only be written; what was written is taken away between two writes."""

    def __init__(self) -> None:
        self._content = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: "bytes | memoryview") -> int:  # type: ignore[override]
        self._content += data
        return len(data)

    def take(self) -> bytes:
        content = bytes(self._content)
        self._content.clear()
        return content


def dataset_pieces(studio: Studio, order: DatasetQuery, seed: int) -> Iterator[bytes]:
    """The file, in pieces.

    Picture i is a line in row i of the seed: `/generate` draws the first 16 of them, with the
    same seed, one a row.
    """
    outbox = _Outbox()
    with zipfile.ZipFile(outbox, "w") as archive:
        write = _write_npz if order.format == "npz" else _write_pngs
        for _ in write(studio, order, seed, archive):
            yield outbox.take()
    yield outbox.take()


def dataset_labels(order: DatasetQuery, seed: int) -> list[str]:
    """The numbers to draw: every number of `length` digits equally likely."""
    random = np.random.Generator(np.random.Philox(key=[seed, 2**32 + LABEL_STREAM]))
    digits = random.integers(0, 10, size=(order.count, order.length), dtype=np.uint8)
    return [bytes(row + ord("0")).decode("ascii") for row in digits]


def _write_npz(
    studio: Studio, order: DatasetQuery, seed: int, archive: zipfile.ZipFile
) -> Iterator[None]:
    labels = dataset_labels(order, seed)
    with archive.open(zipfile.ZipInfo("labels.npy", DATE), "w") as file:
        np.lib.format.write_array(file, np.array(labels), allow_pickle=False)
    width = line_width(order.length, order.gap)
    header = {"descr": "|u1", "fortran_order": False, "shape": (order.count, CELL, width)}
    with archive.open(zipfile.ZipInfo("images.npy", DATE), "w") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, order.count, BATCH):
            part = labels[start : start + BATCH]
            file.write(_draw(studio, order, seed, start, part).tobytes())
            yield


def _write_pngs(
    studio: Studio, order: DatasetQuery, seed: int, archive: zipfile.ZipFile
) -> Iterator[None]:
    labels, names = dataset_labels(order, seed), []
    for start in range(0, order.count, BATCH):
        part = labels[start : start + BATCH]
        for row, sheet in enumerate(_draw(studio, order, seed, start, part), start):
            names.append(f"{row:05d}_{labels[row]}.png")
            with studio.ledger.stage(ENCODE):
                picture = encode_png(sheet, {})
            archive.writestr(zipfile.ZipInfo(f"images/{names[-1]}", DATE), picture)
        yield
    lines = [f"{name},{label}" for name, label in zip(names, labels, strict=True)]
    table = "\n".join(["file,label", *lines, ""])
    archive.writestr(zipfile.ZipInfo("labels.csv", DATE), table)
    yield


def _draw(
    studio: Studio, order: DatasetQuery, seed: int, start: int, labels: list[str]
) -> NDArray[np.uint8]:
    """The pictures of the rows from `start` on: (B, H, W) uint8."""
    style, share = studio.style_noise(order.style), hand_share(order.variation, order.style)
    with studio.ledger.stage(NOISE):
        lines_noise = [
            studio.line_noise(seed, row, order.length, share, style)
            for row in range(start, start + len(labels))
        ]
        noise = np.concatenate(lines_noise) * np.float32(order.temperature)
    one_hot = studio.generator.one_hot(labels_of("".join(labels)))
    drawn = studio.draw(one_hot, noise)
    lines = drawn.reshape(len(labels), order.length, *drawn.shape[1:])
    with studio.ledger.stage(COMPOSE):
        return np.stack([stitch(line[None], gap=order.gap) for line in lines])
