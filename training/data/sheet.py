"""A contact sheet of a data set: some pictures of each label, before and after normalising."""

import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from training.data.images import DataSet
from training.data.own import dark_ink, read_grey
from training.data.picture import UNREADABLE, Levels, Rules, square
from training.data.source import Picture, Source

CELL = 56  # side of a picture on the sheet, pixels
GAP = 4
NAME_WIDTH = 120
PICTURES = 6  # of each label
LABELS = 40  # that are shown at most
PAPER, TEXT = 255, 0


def source_sheet(source: Source, rules: Rules) -> bytes:
    """A PNG: a row for each label, pictures as found on the left, as trained on on the right."""
    dark = dark_ink(source, rules)
    rows = []
    for label in source.ordered_labels[:LABELS]:
        of_label = (picture for picture in source.pictures if picture.label == label)
        both = list(islice(_readable(of_label, rules, dark), PICTURES))
        before, after = [first for first, _ in both], [second for _, second in both]
        blanks = [np.full((CELL, CELL), PAPER, np.uint8)] * (PICTURES - len(both))
        rows.append((label, [*before, *blanks, *after, *blanks]))
    return _sheet(rows, ("as found", "as trained on"))


def data_sheet(data: DataSet, pictures: int = 2 * PICTURES) -> bytes:
    """A PNG with a row of training pictures for each label."""
    rows = []
    for number, name in enumerate(data.label_names[:LABELS]):
        indices = (data.train.labels == number).nonzero().flatten()[:pictures]
        rows.append((name, list(data.train.images[indices].numpy())))
    return _sheet(rows, ("as trained on",))


def _readable(
    pictures: Iterable[Picture], rules: Rules, dark: bool
) -> Iterator[tuple[Levels, Levels]]:
    """Each picture that can be read, as found and as trained on."""
    for picture in pictures:
        try:
            found = read_grey(picture)
        except UNREADABLE:
            continue
        yield found.levels, square(found, rules, dark)


def _sheet(rows: Sequence[tuple[str, Sequence[Levels]]], titles: Sequence[str]) -> bytes:
    columns = max((len(pictures) for _, pictures in rows), default=1)
    font = ImageFont.load_default(14)
    head = 22
    width = NAME_WIDTH + columns * (CELL + GAP) + (len(titles) - 1) * 4 * GAP
    sheet = Image.new("L", (width, head + len(rows) * (CELL + GAP)), PAPER)
    pen = ImageDraw.Draw(sheet)
    block = columns // len(titles)
    for number, title in enumerate(titles):
        pen.text((NAME_WIDTH + number * (block * (CELL + GAP) + 4 * GAP), 2), title, TEXT, font)
    for row, (name, pictures) in enumerate(rows):
        top = head + row * (CELL + GAP)
        pen.text((2, top + CELL // 3), name[:16], TEXT, font)
        for column, levels in enumerate(pictures):
            left = NAME_WIDTH + column * (CELL + GAP) + column // block * 4 * GAP
            sheet.paste(_cell(levels), (left, top))
    file = io.BytesIO()
    sheet.save(file, format="PNG")
    return file.getvalue()


def _cell(levels: Levels) -> Image.Image:
    """A picture of any shape in a cell, whole."""
    image = Image.fromarray(np.ascontiguousarray(levels))
    scale = CELL / max(image.size)
    sides = (max(1, round(side * scale)) for side in image.size)
    method = Image.Resampling.NEAREST if scale >= 1 else Image.Resampling.BICUBIC
    width, height = sides
    cell = Image.new("L", (CELL, CELL), 128)
    cell.paste(image.resize((width, height), method), ((CELL - width) // 2, (CELL - height) // 2))
    return cell
