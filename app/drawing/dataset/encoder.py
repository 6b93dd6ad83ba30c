"""The interface of the forms that are one file, and how one is written piece by piece."""

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from time import perf_counter
from typing import Protocol

from app.drawing.dataset.files import Piece
from app.drawing.dataset.section import Batch, Section
from app.drawing.encoding import encode_png_batch
from app.drawing.palette import palette_of
from app.drawing.renderer import Renderer

UNSAFE = re.compile(r'[/\\:*?"<>|%.]')  # in the name of a file, on some system


class Encoder(Protocol):
    """Makes one file of a section; its bytes are those of `begin`, of each `add`, and of `end`."""

    def begin(self) -> bytes:
        """The bytes before the first picture."""

    def add(self, batch: Batch) -> Piece:
        """The bytes of the next pictures."""

    def end(self) -> bytes:
        """The bytes after the last picture."""


def encode_section(encoder: Encoder, section: Section, renderer: Renderer) -> Iterator[Piece]:
    """The pieces of a file: one before the pictures, one for each batch, one after them.

    Raises:
        InvalidRequest: the style token does not belong to the renderer's model.
    """
    yield encoder.begin()
    for batch in section.batches(renderer):
        piece = encoder.add(batch)
        digits = int(batch.labels.drawn.sum())
        renderer.counters.add_drawing(digits, (*batch.moments, perf_counter()))
        yield piece
    yield encoder.end()


def encode_pngs(section: Section, batch: Batch) -> list[bytes]:
    """A PNG for each picture, in the colours of the description."""
    palette = palette_of(section.description.ink, section.description.paper)
    return encode_png_batch(batch.sheets.images, batch.sheets.sizes, palette)


def label_names(section: Section) -> list[str]:
    """The names of what is known of a picture, in a table or as JSON."""
    single = ["label"] if section.description.alphabet.kind == "digits" else ["label", "name"]
    names = single if section.longest == 1 else ["text"]
    names += ["writer"] if section.writers is not None else []
    return names + (["boxes"] if section.description.boxes == "on" else [])


def label_values(section: Section, batch: Batch) -> list[Sequence[object]]:
    """A column for each of `label_names`, with a value for each picture."""
    alphabet = section.description.alphabet
    if section.longest > 1:
        columns: list[Sequence[object]] = [batch.labels.texts()]
    else:
        labels = batch.labels.digits[:, 0].tolist()
        columns = [labels]
        if alphabet.kind != "digits":
            columns.append([alphabet.names[label] for label in labels])
    if batch.labels.writers is not None:
        columns.append(batch.labels.writers.tolist())
    if batch.sheets.boxes is not None:
        boxes = batch.sheets.boxes.tolist()
        lengths = batch.labels.lengths.tolist()
        columns.append([each[:length] for each, length in zip(boxes, lengths, strict=True)])
    return columns


@lru_cache(maxsize=1024)
def file_name(name: str) -> str:
    """The name of a label as a part of a path, another one for each name."""
    return UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", name)


def csv_lines(columns: Sequence[Sequence[object]]) -> str:
    """The rows of some columns of the same length as CSV; lists as JSON."""
    cells = [
        list(map(json.dumps, column)) if isinstance(column[0], list) else column
        for column in columns
    ]
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(zip(*cells, strict=True))
    return file.getvalue()
