"""Data sets in a ZIP archive: arrays for numpy, or PNG files with a table of labels."""

import zipfile
from typing import IO

import numpy as np
from numpy.typing import NDArray

from app.drawing.dataset.encoder import csv_lines, encode_pngs, file_name, label_columns, label_rows
from app.drawing.dataset.outbox import Outbox
from app.drawing.dataset.section import Batch, Section

DATE = (1980, 1, 1, 0, 0, 0)  # the earliest of ZIP, fixed so that a request gives the same bytes
LARGE = 2**31  # bytes from which an entry needs the 64-bit form of ZIP


class NpzEncoder:
    """Arrays for `numpy.load`: `images` (N, H, W) uint8 grey levels, and the labels.

    Of one digit: `labels` (N,) int64. Of several: `digits` (N, L) uint8 padded with 10, `lengths`
    (N,) uint8 and `texts` (N,). In another alphabet `labels` in the place of `digits`, padded with
    the number of labels, and `names` (K,) of these. Where there are any: `writers` (N,) int64,
    `boxes` (N, L, 4) int16, and `sizes` (N, 2) int16, the height and width of what is drawn of
    each image.
    """

    def __init__(self, section: Section) -> None:
        self._section = section
        self._outbox = Outbox()
        self._archive = zipfile.ZipFile(self._outbox, "w")
        self._boxes: list[NDArray[np.int16]] = []
        self._sizes: list[NDArray[np.int16]] = []
        self._images: IO[bytes]

    def begin(self) -> bytes:
        """See `Encoder.begin`."""
        section = self._section
        labels = section.labels
        if section.longest == 1:
            self._write("labels", labels.digits[:, 0].astype(np.int64))
        else:
            self._write("digits" if labels.alphabet.kind == "digits" else "labels", labels.digits)
            self._write("lengths", labels.lengths.astype(np.uint8))
            self._write("texts", np.array(labels.texts()))
        if labels.alphabet.kind != "digits":
            self._write("names", np.array(labels.alphabet.names))
        if labels.writers is not None:
            self._write("writers", labels.writers)
        canvas = section.canvas
        shape = section.count, canvas.height, canvas.width
        self._images = self._open("images", int(np.prod(shape)))
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._images, header)
        return self._outbox.take()

    def add(self, batch: Batch) -> bytes:
        """See `Encoder.add`."""
        self._images.write(batch.sheets.images.data.cast("B"))
        if batch.sheets.boxes is not None:
            self._boxes.append(batch.sheets.boxes)
        if not self._section.fixed:
            self._sizes.append(batch.sheets.sizes.astype(np.int16))
        return self._outbox.take()

    def end(self) -> bytes:
        """See `Encoder.end`."""
        self._images.close()
        if self._boxes:
            self._write("boxes", np.concatenate(self._boxes))
        if self._sizes:
            self._write("sizes", np.concatenate(self._sizes))
        self._archive.close()
        return self._outbox.take()

    def _write(self, name: str, array: NDArray[np.generic]) -> None:
        with self._open(name, array.nbytes) as file:
            np.lib.format.write_array(file, array, allow_pickle=False)

    def _open(self, name: str, size: int) -> IO[bytes]:
        entry = zipfile.ZipInfo(f"{name}.npy", DATE)
        return self._archive.open(entry, "w", force_zip64=size >= LARGE)


class ZipEncoder:
    """PNG files below `images/`, and `labels.csv`, which names each as it is in the archive."""

    def __init__(self, section: Section) -> None:
        self._section = section
        self._outbox = Outbox()
        self._archive = zipfile.ZipFile(self._outbox, "w")
        self._table = [csv_lines([["file", "label", *label_columns(section)[1:]]])]

    def begin(self) -> bytes:
        """See `Encoder.begin`."""
        return b""

    def add(self, batch: Batch) -> bytes:
        """See `Encoder.add`."""
        texts, rows = batch.labels.texts(), label_rows(self._section, batch)
        if self._section.description.alphabet.kind != "digits":
            texts = [file_name(text) if self._section.longest == 1 else "" for text in texts]
        names = [
            f"images/{row:05d}{'_' if text else ''}{text}.png"
            for row, text in enumerate(texts, batch.first)
        ]
        for name, content in zip(names, encode_pngs(self._section, batch), strict=True):
            self._archive.writestr(zipfile.ZipInfo(name, DATE), content)
        table = [[name, *row] for name, row in zip(names, rows, strict=True)]
        self._table.append(csv_lines(table))
        return self._outbox.take()

    def end(self) -> bytes:
        """See `Encoder.end`."""
        self._archive.writestr(zipfile.ZipInfo("labels.csv", DATE), "".join(self._table))
        self._archive.close()
        return self._outbox.take()
