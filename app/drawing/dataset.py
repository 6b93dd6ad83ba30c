"""Labelled digits in bulk, made piece by piece in the same memory for any number of pictures."""

import io
import zipfile
from collections.abc import Iterator
from time import perf_counter

import numpy as np

from app.drawing.canvas import stitch
from app.drawing.encoding import encode_png
from app.drawing.renderer import Renderer
from app.request.schemas import CELL, DatasetQuery, line_width

MEDIA_TYPES = {"npz": "application/octet-stream", "zip": "application/zip"}
BATCH = 128  # pictures drawn at a time
DATE = (1980, 1, 1, 0, 0, 0)  # the earliest of ZIP, fixed so that a request gives the same bytes
LABEL_STREAM = 1  # of the random numbers of a seed


class _Outbox(io.RawIOBase):
    """A write-only file whose content is taken away between two writes."""

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


def dataset_pieces(renderer: Renderer, query: DatasetQuery, seed: int) -> Iterator[bytes]:
    """The pieces of the file, at least one for each `BATCH` pictures.

    Picture i is a line in row i of the seed. `/generate` with the same seed draws the first 16
    of them as its rows.

    Raises:
        InvalidRequest: the style token does not belong to the renderer's model.
    """
    outbox = _Outbox()
    with zipfile.ZipFile(outbox, "w") as archive:
        write = _write_npz if query.format == "npz" else _write_pngs
        for _ in write(renderer, query, seed, archive):
            yield outbox.take()
    yield outbox.take()


def dataset_labels(query: DatasetQuery, seed: int) -> list[str]:
    """The numbers to draw. All numbers of `length` digits are equally likely."""
    random = np.random.Generator(np.random.Philox(key=[seed, 2**32 + LABEL_STREAM]))
    digits = random.integers(0, 10, size=(query.count, query.length), dtype=np.uint8)
    return [bytes(row + ord("0")).decode("ascii") for row in digits]


def _write_npz(
    renderer: Renderer, query: DatasetQuery, seed: int, archive: zipfile.ZipFile
) -> Iterator[None]:
    labels = dataset_labels(query, seed)
    with archive.open(zipfile.ZipInfo("labels.npy", DATE), "w") as file:
        np.lib.format.write_array(file, np.array(labels), allow_pickle=False)
    width = line_width(query.length, query.gap)
    header = {"descr": "|u1", "fortran_order": False, "shape": (query.count, CELL, width)}
    with archive.open(zipfile.ZipInfo("images.npy", DATE), "w") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, query.count, BATCH):
            file.writelines(_draw(renderer, query, seed, start, labels[start : start + BATCH]))
            yield


def _write_pngs(
    renderer: Renderer, query: DatasetQuery, seed: int, archive: zipfile.ZipFile
) -> Iterator[None]:
    labels = dataset_labels(query, seed)
    names = [f"{row:05d}_{label}.png" for row, label in enumerate(labels)]
    for start in range(0, query.count, BATCH):
        files = _draw(renderer, query, seed, start, labels[start : start + BATCH])
        for name, content in zip(names[start : start + BATCH], files, strict=True):
            archive.writestr(zipfile.ZipInfo(f"images/{name}", DATE), content)
        yield
    lines = [f"{name},{label}" for name, label in zip(names, labels, strict=True)]
    table = "\n".join(["file,label", *lines, ""])
    archive.writestr(zipfile.ZipInfo("labels.csv", DATE), table)
    yield


def _draw(
    renderer: Renderer, query: DatasetQuery, seed: int, first: int, labels: list[str]
) -> list[bytes]:
    """The pictures of a batch: for npz all in one array of bytes, for zip each as a PNG.

    Args:
        renderer: draws them.
        query: of the data set.
        seed: of the request.
        first: row of the first picture.
        labels: of each picture.
    """
    start = perf_counter()
    lines = [(seed, row, query.length) for row in range(first, first + len(labels))]
    noise = renderer.line_noise(lines, query) * np.float32(query.temperature)
    one_hot = renderer.one_hot("".join(labels))
    noise_end = perf_counter()
    digits = renderer.generator.draw(one_hot, noise)
    decode_end = perf_counter()
    sheet = stitch(digits.reshape(len(labels), query.length, CELL, CELL), gap=query.gap)
    pictures = sheet.reshape(len(labels), CELL, -1)
    compose_end = perf_counter()
    npz = query.format == "npz"
    files = [pictures.tobytes()] if npz else [encode_png(picture, {}) for picture in pictures]
    moments = (start, noise_end, decode_end, compose_end, perf_counter())
    renderer.counters.add_drawing(len(digits), moments)
    return files
