"""A data set as one file, made piece by piece in the same memory for any number of pictures."""

from collections.abc import Callable, Iterator

from app.drawing.dataset.archive import NpzEncoder, ZipEncoder
from app.drawing.dataset.encoder import Encoder, encode_section
from app.drawing.dataset.parquet import ParquetEncoder
from app.drawing.dataset.section import Section, Writers
from app.drawing.dataset.webdataset import WebDatasetEncoder
from app.drawing.renderer import Renderer
from app.request.dataset import Description

ENCODERS: dict[str, Callable[[Section], Encoder]] = {
    "npz": NpzEncoder,
    "zip": ZipEncoder,
    "webdataset": WebDatasetEncoder,
    "parquet": ParquetEncoder,
}


def dataset_pieces(renderer: Renderer, description: Description, seed: int) -> Iterator[bytes]:
    """The pieces of the file, at least one for each batch of pictures.

    Picture i is a line in row i of the seed. `/generate` with the same seed draws the first 16
    of them as its rows.

    Raises:
        InvalidRequest: the style token does not belong to the renderer's model.
    """
    section = whole(description, seed)
    encoder = ENCODERS[description.format](section)
    return encode_section(encoder, section, renderer)


def whole(description: Description, seed: int) -> Section:
    """All pictures of a data set without texts."""
    writers = None if description.writers is None else Writers(0, description.writers, 0)
    return Section(description, seed, 0, description.count, writers=writers)
