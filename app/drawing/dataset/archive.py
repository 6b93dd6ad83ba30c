"""Data sets in a ZIP archive: arrays for numpy, or PNG files with a table of labels."""

import io

import numpy as np
from numpy.typing import NDArray

from app.drawing.dataset.encoder import csv_lines, encode_pngs, file_name, label_names, label_values
from app.drawing.dataset.files import Piece
from app.drawing.dataset.section import Batch, Section
from app.drawing.dataset.zip_writer import ZipWriter


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
        self._archive = ZipWriter()
        self._boxes: list[NDArray[np.int16]] = []
        self._sizes: list[NDArray[np.int16]] = []

    def begin(self) -> bytes:
        """See `Encoder.begin`."""
        canvas = self._section.canvas
        shape = self._section.count, canvas.height, canvas.width
        head = io.BytesIO()
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(head, header)
        arrays = [self._file(name, array) for name, array in self._labels().items()]
        images = self._archive.begin("images.npy", head.tell() + int(np.prod(shape)))
        return b"".join([*arrays, images, self._archive.add(head.getvalue())])

    def add(self, batch: Batch) -> Piece:
        """See `Encoder.add`."""
        if batch.sheets.boxes is not None:
            self._boxes.append(batch.sheets.boxes)
        if not self._section.fixed:
            self._sizes.append(batch.sheets.sizes.astype(np.int16))
        return self._archive.add(batch.sheets.levels)

    def end(self) -> bytes:
        """See `Encoder.end`."""
        pieces = [self._archive.end_file()]
        if self._boxes:
            pieces.append(self._file("boxes", np.concatenate(self._boxes)))
        if self._sizes:
            pieces.append(self._file("sizes", np.concatenate(self._sizes)))
        return b"".join([*pieces, self._archive.end()])

    def _labels(self) -> dict[str, NDArray[np.generic]]:
        """What is known of the pictures before they are drawn."""
        labels = self._section.labels
        numbers = labels.alphabet.kind == "digits"
        arrays: dict[str, NDArray[np.generic]] = {}
        if self._section.longest == 1:
            arrays["labels"] = labels.digits[:, 0].astype(np.int64)
        else:
            arrays["digits" if numbers else "labels"] = labels.digits
            arrays["lengths"] = labels.lengths.astype(np.uint8)
            arrays["texts"] = np.array(labels.texts())
        if not numbers:
            arrays["names"] = np.array(labels.alphabet.names)
        if labels.writers is not None:
            arrays["writers"] = labels.writers
        return arrays

    def _file(self, name: str, array: NDArray[np.generic]) -> bytes:
        file = io.BytesIO()
        np.lib.format.write_array(file, array, allow_pickle=False)
        return self._archive.file(f"{name}.npy", file.getvalue())


class ZipEncoder:
    """PNG files below `images/`, and `labels.csv`, which names each as it is in the archive."""

    def __init__(self, section: Section) -> None:
        self._section = section
        self._archive = ZipWriter()
        columns = ["file", "label", *label_names(section)[1:]]
        self._table = [csv_lines([[column] for column in columns])]

    def begin(self) -> bytes:
        """See `Encoder.begin`."""
        return b""

    def add(self, batch: Batch) -> bytes:
        """See `Encoder.add`."""
        texts = batch.labels.texts()
        if self._section.description.alphabet.kind == "digits":
            texts = [text if text.isdecimal() else file_name(text) for text in texts]
        else:
            texts = [file_name(text) if self._section.longest == 1 else "" for text in texts]
        names = [
            f"images/{row:05d}{'_' if text else ''}{text}.png"
            for row, text in enumerate(texts, batch.first)
        ]
        self._table.append(csv_lines([names, *label_values(self._section, batch)]))
        pictures = encode_pngs(self._section, batch)
        return b"".join(map(self._archive.file, names, pictures))

    def end(self) -> bytes:
        """See `Encoder.end`."""
        table = self._archive.file("labels.csv", "".join(self._table).encode())
        return table + self._archive.end()
