"""Uploaded picture files as small pictures in colour, in bounded memory and time."""

import io
from collections.abc import Iterator

import numpy as np
from PIL import Image

from app.drawing.picture_file import PictureFile, no_picture, read_picture_file, too_large

MAX_SHARE = 1.5  # all pictures of an upload together, as a multiple of the largest picture
WORKING_SIDE = 512  # pixels: enough for a digit that fills a fifth of its photo
MAX_DECODED = 2**23  # pixels of a JPEG that is decoded to 1/1, 1/2, 1/4 or 1/8 of its sides
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # orientation in EXIF -> what to do with the picture


def open_pictures(contents: list[bytes]) -> Iterator[Image.Image]:
    """Each picture, in colour (mode RGB), upright, at most `WORKING_SIDE` wide and high.

    Args:
        contents: PNG, JPEG or WebP files; the list is emptied, so that no file is in memory beside
            the copy that is decoded.
    Raises:
        RequestError: one is not such a picture (UNSUPPORTED_TYPE), or they have too many pixels
            alone or together (TOO_LARGE).
    """
    share = 0.0
    while contents:
        file = read_picture_file(contents.pop(0))
        share += file.share
        if share > MAX_SHARE:
            raise too_large("The pictures together are too large; send fewer or smaller ones.")
        try:
            picture = _small(_decode(file), file.orientation)
        except Exception as error:  # Pillow raises many types on damaged files
            raise no_picture() from error
        yield picture


def _decode(file: PictureFile) -> Image.Image:
    picture = Image.open(io.BytesIO(file.content), formats=[file.kind.format])
    width, height = picture.size
    if (width, height) != (file.width, file.height):
        raise no_picture()
    reduction = next(r for r in (1, 2, 4) if width * height <= r * r * MAX_DECODED)
    sides = [min(2 * WORKING_SIDE, side // reduction) for side in picture.size]
    picture.draft("RGB", (sides[0], sides[1]))  # of a JPEG alone
    picture.load()
    return picture


def _small(picture: Image.Image, orientation: int) -> Image.Image:
    # Each step replaces its picture, so that there are never more than two large ones.
    clear = picture.has_transparency_data
    if picture.mode == "I;16":  # Pillow would clip each level above 255 to white
        picture = picture.point(lambda level: level * (1 / 256)).convert("L")
    elif clear and picture.mode != "RGBA":
        picture = picture.convert("RGBA")
    elif picture.mode == "1":
        picture = picture.convert("L")
    elif picture.mode == "P":
        picture = picture.convert("RGB")
    if max(picture.size) > WORKING_SIDE:
        picture.thumbnail((WORKING_SIDE, WORKING_SIDE), Image.Resampling.BOX)
    picture = _upright(picture, orientation)
    return (_on_paper(picture) if clear else picture).convert("RGB")


def _upright(picture: Image.Image, orientation: int) -> Image.Image:
    return picture.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else picture


def _on_paper(picture: Image.Image) -> Image.Image:
    """A picture with transparent parts on black or white, whichever contrasts with its ink."""
    pixels = np.asarray(picture.convert("RGBa"), dtype=np.float32)
    bright = pixels[..., :3].mean(axis=2).sum() > pixels[..., 3].sum() / 2
    paper = Image.new("RGBA", picture.size, "black" if bright else "white")
    return Image.alpha_composite(paper, picture)
