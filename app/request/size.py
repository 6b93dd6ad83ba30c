"""How large a picture may be."""

from app.request.error import invalid

MAX_PIXELS = 2**24  # of one picture, or of all frames of an animation: 16 MB of grey levels
MAX_PEN_AREA = 2**16  # pixels before scaling that a pen shapes: 83 digits


def check_size(pixels: int, field: str) -> None:
    """Refuse a picture that is too large.

    Args:
        pixels: of the picture.
        field: the parameter that is named in the message.
    Raises:
        InvalidRequest: it is too large.
    """
    if pixels > MAX_PIXELS:
        raise invalid(
            field,
            f"makes a picture of {pixels} pixels, at most {MAX_PIXELS} are drawn; "
            f"ask for fewer digits or rows, or a lower {field}",
        )


def check_pen(pen: float, render: str, area: int) -> None:
    """Refuse a pen where there is no ink, or too much.

    Args:
        pen: thickness of the strokes, 1 as the model draws them.
        render: ink or pixels.
        area: pixels of the picture before scaling.
    Raises:
        InvalidRequest: the pen cannot be used.
    """
    if pen == 1:
        return
    if render != "ink":
        raise invalid("pen", "shapes ink; add render=ink, or leave out pen")
    if area > MAX_PEN_AREA:
        raise invalid(
            "pen",
            f"shapes at most {MAX_PEN_AREA} pixels before scaling, and here are {area}; ask for "
            "fewer digits, rows or frames, or leave out pen",
        )
