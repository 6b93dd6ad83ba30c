import io
import zipfile
from collections.abc import Iterator
from itertools import repeat

import pytest

from app.drawing.dataset import zip_writer
from app.drawing.dataset.files import Piece
from app.drawing.dataset.zip_writer import ZipWriter

DATE = (1980, 1, 1, 0, 0, 0)
FILES = {"images/1.png": b"one", "empty": b"", "é/ﬁ.txt": bytes(range(256)) * 300}


class Unseekable(io.RawIOBase):
    def __init__(self) -> None:
        self.content = bytearray()

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return len(self.content)

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.content += data
        return len(data)


def of_library(files: dict[str, bytes]) -> bytes:
    file = Unseekable()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            large = len(content) > zipfile.ZIP64_LIMIT
            with archive.open(zipfile.ZipInfo(name, DATE), "w", force_zip64=large) as entry:
                entry.write(content)
    return bytes(file.content)


def of_writer(files: dict[str, bytes]) -> bytes:
    writer = ZipWriter()
    pieces = [writer.file(name, content) for name, content in files.items()]
    return b"".join([*pieces, writer.end()])


def test_archive_has_the_bytes_of_zipfile() -> None:
    assert of_writer(FILES) == of_library(FILES)


def test_archive_with_more_files_than_16_bits_count_has_the_bytes_of_zipfile() -> None:
    files = dict(zip(map(str, range(2**16 + 1)), repeat(b""), strict=False))
    assert of_writer(files) == of_library(files)


@pytest.mark.parametrize("limit", [40, 1000])  # of a file's own size; of its place alone
def test_archive_beyond_32_bits_has_the_bytes_of_zipfile(
    monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    files = {str(number): bytes(50) for number in range(30)}
    monkeypatch.setattr(zip_writer, "LARGE", limit + 1)
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", limit)
    assert of_writer(files) == of_library(files)


def test_file_in_pieces_has_the_bytes_of_the_whole() -> None:
    def pieces() -> Iterator[Piece]:
        writer = ZipWriter()
        yield writer.begin("a", 6)
        yield writer.add(b"one")
        yield writer.add(b"two")
        yield writer.end_file()
        yield writer.end()

    assert b"".join(pieces()) == of_writer({"a": b"onetwo"})
