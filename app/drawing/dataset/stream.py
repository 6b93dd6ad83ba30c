"""A data set as one file, made piece by piece in the same memory for any number of pictures."""

from collections.abc import Callable, Iterator

from app.drawing.dataset.archive import NpzEncoder, ZipEncoder
from app.drawing.dataset.encoder import Encoder, encode_section
from app.drawing.dataset.files import Piece
from app.drawing.dataset.parquet import ParquetEncoder
from app.drawing.dataset.section import Section, Writers
from app.drawing.dataset.texts import Texts, parse_texts
from app.drawing.dataset.webdataset import WebDatasetEncoder
from app.drawing.renderer import Renderer
from app.request.dataset import DatasetQuery, Description

ENCODERS: dict[str, Callable[[Section], Encoder]] = {
    "npz": NpzEncoder,
    "zip": ZipEncoder,
    "webdataset": WebDatasetEncoder,
    "parquet": ParquetEncoder,
}


def asked_texts(query: DatasetQuery) -> Texts | None:
    """The texts of a query; None without any.

    Raises:
        InvalidRequest: they cannot be drawn with its other parameters.
    """
    if query.texts is None:
        return None
    texts = parse_texts(query.texts.encode(), query.alphabet)
    query.check_texts(texts.longest)
    return texts


def dataset_pieces(
    renderer: Renderer, description: Description, seed: int, texts: Texts | None = None
) -> Iterator[Piece]:
    """The pieces of the file, at least one for each batch of pictures.

    Picture i is a line in row i of the seed. `/generate` with the same seed draws the first 16
    of them as its rows.

    Raises:
        InvalidRequest: the style token does not belong to the renderer's model.
    """
    section = whole(description, seed, texts)
    encoder = ENCODERS[description.format](section)
    return encode_section(encoder, section, renderer)


def whole(description: Description, seed: int, texts: Texts | None = None) -> Section:
    """All pictures of a data set in one section."""
    writers = None if description.writers is None else Writers(0, description.writers, 0)
    return Section(description, seed, 0, description.count, texts, writers)
