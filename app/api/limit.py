"""The operator's own limit on the size of a picture, where it is lower than the contract's."""

from fastapi import Request

from app.api.errors import FieldError, InvalidRequest
from app.request.schemas import CELL, Drawing, LatentMapQuery, MorphQuery, line_width

Picture = Drawing | MorphQuery | LatentMapQuery


def check_pixels(request: Request, query: Picture) -> None:
    """Nothing, if the picture is small enough for this service.

    Raises:
        InvalidRequest: it is not.
    """
    most, asked = request.app.state.settings.max_pixels, pixels(query)
    if asked > most:
        sentence = f"makes a picture of {asked} pixels, at most {most} are drawn here; ask for less"
        raise InvalidRequest([FieldError(field="scale", message=sentence)])


def pixels(query: Picture) -> int:
    """Pixels of the picture, or of all frames of the animation, at the most."""
    if isinstance(query, Drawing):
        return CELL * query.rows * query.widest * query.scale**2
    if isinstance(query, MorphQuery):
        width = line_width(len(query.start), query.gap)
        return CELL * query.frames * width * query.scale**2
    return (CELL * query.cells * query.scale) ** 2
